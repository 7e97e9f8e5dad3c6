import { defineApi } from '../api.js';

export const listOffsetsApi = defineApi({
  key: 2,
  name: 'ListOffsets',
  versions: '1-11',
  flexible: '6+',
  request: {
    replicaId: { type: 'int32', versions: '0+' },
    isolationLevel: { type: 'int8', versions: '2+' },
    topics: { type: '[]struct', versions: '0+', of: {
      name: { type: 'string', versions: '0+' },
      partitions: { type: '[]struct', versions: '0+', of: {
        partitionIndex: { type: 'int32', versions: '0+' },
        currentLeaderEpoch: { type: 'int32', versions: '4+', default: -1, ignorable: true },
        timestamp: { type: 'int64', versions: '0+' },
      } },
    } },
    timeoutMs: { type: 'int32', versions: '10+', ignorable: true },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '2+', ignorable: true },
    topics: { type: '[]struct', versions: '0+', of: {
      name: { type: 'string', versions: '0+' },
      partitions: { type: '[]struct', versions: '0+', of: {
        partitionIndex: { type: 'int32', versions: '0+' },
        errorCode: { type: 'int16', versions: '0+' },
        timestamp: { type: 'int64', versions: '1+', default: -1n },
        offset: { type: 'int64', versions: '1+', default: -1n },
        leaderEpoch: { type: 'int32', versions: '4+', default: -1 },
      } },
    } },
  },
});
