import { defineMessage } from '../message.js';

export const consumerProtocolSubscription = defineMessage({
  name: 'ConsumerProtocolSubscription',
  versions: '0-3',
  flexible: 'none',
  fields: {
    topics: { type: '[]string', versions: '0+' },
    userData: { type: 'bytes', versions: '0+', nullable: '0+', default: null },
    ownedPartitions: { type: '[]struct', versions: '1+', ignorable: true, of: {
      topic: { type: 'string', versions: '1+' },
      partitions: { type: '[]int32', versions: '1+' },
    } },
    generationId: { type: 'int32', versions: '2+', default: -1, ignorable: true },
    rackId: { type: 'string', versions: '3+', nullable: '3+', default: null, ignorable: true },
  },
});
