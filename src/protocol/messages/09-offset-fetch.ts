import { defineApi } from '../api.js';

export const offsetFetchApi = defineApi({
  key: 9,
  name: 'OffsetFetch',
  versions: '1-10',
  flexible: '6+',
  request: {
    groupId: { type: 'string', versions: '0-7' },
    topics: { type: '[]struct', versions: '0-7', nullable: '2-7', of: {
      name: { type: 'string', versions: '0-7' },
      partitionIndexes: { type: '[]int32', versions: '0-7' },
    } },
    groups: { type: '[]struct', versions: '8+', of: {
      groupId: { type: 'string', versions: '8+' },
      memberId: { type: 'string', versions: '9+', nullable: '9+', default: null, ignorable: true },
      memberEpoch: { type: 'int32', versions: '9+', default: -1, ignorable: true },
      topics: { type: '[]struct', versions: '8+', nullable: '8+', of: {
        name: { type: 'string', versions: '8-9', ignorable: true },
        topicId: { type: 'uuid', versions: '10+', ignorable: true },
        partitionIndexes: { type: '[]int32', versions: '8+' },
      } },
    } },
    requireStable: { type: 'bool', versions: '7+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '3+', ignorable: true },
    topics: { type: '[]struct', versions: '0-7', of: {
      name: { type: 'string', versions: '0-7' },
      partitions: { type: '[]struct', versions: '0-7', of: {
        partitionIndex: { type: 'int32', versions: '0-7' },
        committedOffset: { type: 'int64', versions: '0-7' },
        committedLeaderEpoch: { type: 'int32', versions: '5-7', default: -1, ignorable: true },
        metadata: { type: 'string', versions: '0-7', nullable: '0-7' },
        errorCode: { type: 'int16', versions: '0-7' },
      } },
    } },
    errorCode: { type: 'int16', versions: '2-7', ignorable: true },
    groups: { type: '[]struct', versions: '8+', of: {
      groupId: { type: 'string', versions: '8+' },
      topics: { type: '[]struct', versions: '8+', of: {
        name: { type: 'string', versions: '8-9', ignorable: true },
        topicId: { type: 'uuid', versions: '10+', ignorable: true },
        partitions: { type: '[]struct', versions: '8+', of: {
          partitionIndex: { type: 'int32', versions: '8+' },
          committedOffset: { type: 'int64', versions: '8+' },
          committedLeaderEpoch: { type: 'int32', versions: '8+', default: -1, ignorable: true },
          metadata: { type: 'string', versions: '8+', nullable: '8+' },
          errorCode: { type: 'int16', versions: '8+' },
        } },
      } },
      errorCode: { type: 'int16', versions: '8+' },
    } },
  },
});
