import { defineMetadataRecord } from './define.js';

export const unfenceBrokerRecord = defineMetadataRecord({
  type: 8,
  name: 'UnfenceBrokerRecord',
  versions: '0',
  flexible: '0+',
  fields: {
    id: { type: 'int32', versions: '0+' },
    epoch: { type: 'int64', versions: '0+' },
  },
});
