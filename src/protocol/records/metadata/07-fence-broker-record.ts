import { defineMetadataRecord } from './define.js';

export const fenceBrokerRecord = defineMetadataRecord({
  type: 7,
  name: 'FenceBrokerRecord',
  versions: '0',
  flexible: '0+',
  fields: {
    id: { type: 'int32', versions: '0+' },
    epoch: { type: 'int64', versions: '0+' },
  },
});
