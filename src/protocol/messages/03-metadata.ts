import { defineApi } from '../api.js';

export const metadataApi = defineApi({
  key: 3,
  name: 'Metadata',
  versions: '0-13',
  flexible: '9+',
  request: {
    topics: { type: '[]struct', versions: '0+', nullable: '1+', of: {
      topicId: { type: 'uuid', versions: '10+', ignorable: true },
      name: { type: 'string', versions: '0+', nullable: '10+' },
    } },
    allowAutoTopicCreation: { type: 'bool', versions: '4+', default: true },
    includeClusterAuthorizedOperations: { type: 'bool', versions: '8-10' },
    includeTopicAuthorizedOperations: { type: 'bool', versions: '8+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '3+', ignorable: true },
    brokers: { type: '[]struct', versions: '0+', of: {
      nodeId: { type: 'int32', versions: '0+' },
      host: { type: 'string', versions: '0+' },
      port: { type: 'int32', versions: '0+' },
      rack: { type: 'string', versions: '1+', nullable: '1+', default: null, ignorable: true },
    } },
    clusterId: { type: 'string', versions: '2+', nullable: '2+', default: null, ignorable: true },
    controllerId: { type: 'int32', versions: '1+', default: -1, ignorable: true },
    topics: { type: '[]struct', versions: '0+', of: {
      errorCode: { type: 'int16', versions: '0+' },
      name: { type: 'string', versions: '0+', nullable: '12+' },
      topicId: { type: 'uuid', versions: '10+', ignorable: true },
      isInternal: { type: 'bool', versions: '1+', ignorable: true },
      partitions: { type: '[]struct', versions: '0+', of: {
        errorCode: { type: 'int16', versions: '0+' },
        partitionIndex: { type: 'int32', versions: '0+' },
        leaderId: { type: 'int32', versions: '0+' },
        leaderEpoch: { type: 'int32', versions: '7+', default: -1, ignorable: true },
        replicaNodes: { type: '[]int32', versions: '0+' },
        isrNodes: { type: '[]int32', versions: '0+' },
        offlineReplicas: { type: '[]int32', versions: '5+', ignorable: true },
      } },
      topicAuthorizedOperations: { type: 'int32', versions: '8+', default: -2147483648 },
    } },
    clusterAuthorizedOperations: { type: 'int32', versions: '8-10', default: -2147483648 },
    errorCode: { type: 'int16', versions: '13+', ignorable: true },
  },
});
