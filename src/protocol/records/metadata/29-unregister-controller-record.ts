import { defineMetadataRecord } from './define.js';

export const unregisterControllerRecord = defineMetadataRecord({
  type: 29,
  name: 'UnregisterControllerRecord',
  versions: '0',
  flexible: '0+',
  fields: {
    controllerId: { type: 'int32', versions: '0+' },
  },
});
