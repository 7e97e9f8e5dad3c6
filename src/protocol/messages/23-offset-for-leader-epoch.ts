import { defineApi } from '../api.js';

export const offsetForLeaderEpochApi = defineApi({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: '2-4',
  flexible: '4+',
  request: {
    replicaId: { type: 'int32', versions: '3+', default: -2, ignorable: true },
    topics: { type: '[]struct', versions: '0+', of: {
      topic: { type: 'string', versions: '0+' },
      partitions: { type: '[]struct', versions: '0+', of: {
        partition: { type: 'int32', versions: '0+' },
        currentLeaderEpoch: { type: 'int32', versions: '2+', default: -1, ignorable: true },
        leaderEpoch: { type: 'int32', versions: '0+' },
      } },
    } },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '2+', ignorable: true },
    topics: { type: '[]struct', versions: '0+', of: {
      topic: { type: 'string', versions: '0+' },
      partitions: { type: '[]struct', versions: '0+', of: {
        errorCode: { type: 'int16', versions: '0+' },
        partition: { type: 'int32', versions: '0+' },
        leaderEpoch: { type: 'int32', versions: '1+', default: -1, ignorable: true },
        endOffset: { type: 'int64', versions: '0+', default: -1n },
      } },
    } },
  },
});
