import { defineMetadataRecord } from './define.js';

export const producerIdsRecord = defineMetadataRecord({
  type: 15,
  name: 'ProducerIdsRecord',
  versions: '0',
  flexible: '0+',
  fields: {
    brokerId: { type: 'int32', versions: '0+' },
    brokerEpoch: { type: 'int64', versions: '0+', default: -1n },
    nextProducerId: { type: 'int64', versions: '0+' },
  },
});
