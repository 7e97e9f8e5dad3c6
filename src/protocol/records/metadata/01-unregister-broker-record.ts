import { defineMetadataRecord } from './define.js';

export const unregisterBrokerRecord = defineMetadataRecord({
  type: 1,
  name: 'UnregisterBrokerRecord',
  versions: '0',
  flexible: '0+',
  fields: {
    brokerId: { type: 'int32', versions: '0+' },
    brokerEpoch: { type: 'int64', versions: '0+' },
  },
});
