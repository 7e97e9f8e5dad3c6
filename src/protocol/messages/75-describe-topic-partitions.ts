import { defineApi } from '../api.js';

export const describeTopicPartitionsApi = defineApi({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: '0',
  flexible: '0+',
  request: {
    topics: { type: '[]struct', versions: '0+', of: {
      name: { type: 'string', versions: '0+' },
    } },
    responsePartitionLimit: { type: 'int32', versions: '0+', default: 2000 },
    cursor: { type: 'struct', versions: '0+', nullable: '0+', default: null, of: {
      topicName: { type: 'string', versions: '0+' },
      partitionIndex: { type: 'int32', versions: '0+' },
    } },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '0+', ignorable: true },
    topics: { type: '[]struct', versions: '0+', of: {
      errorCode: { type: 'int16', versions: '0+' },
      name: { type: 'string', versions: '0+', nullable: '0+' },
      topicId: { type: 'uuid', versions: '0+', ignorable: true },
      isInternal: { type: 'bool', versions: '0+', ignorable: true },
      partitions: { type: '[]struct', versions: '0+', of: {
        errorCode: { type: 'int16', versions: '0+' },
        partitionIndex: { type: 'int32', versions: '0+' },
        leaderId: { type: 'int32', versions: '0+' },
        leaderEpoch: { type: 'int32', versions: '0+', default: -1, ignorable: true },
        replicaNodes: { type: '[]int32', versions: '0+' },
        isrNodes: { type: '[]int32', versions: '0+' },
        eligibleLeaderReplicas: { type: '[]int32', versions: '0+', nullable: '0+', default: null },
        lastKnownElr: { type: '[]int32', versions: '0+', nullable: '0+', default: null },
        offlineReplicas: { type: '[]int32', versions: '0+', ignorable: true },
      } },
      topicAuthorizedOperations: { type: 'int32', versions: '0+', default: -2147483648 },
    } },
    nextCursor: { type: 'struct', versions: '0+', nullable: '0+', default: null, of: {
      topicName: { type: 'string', versions: '0+' },
      partitionIndex: { type: 'int32', versions: '0+' },
    } },
  },
});
