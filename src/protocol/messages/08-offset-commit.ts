import { defineApi } from '../api.js';

export const offsetCommitApi = defineApi({
  key: 8,
  name: 'OffsetCommit',
  versions: '2-10',
  flexible: '8+',
  request: {
    groupId: { type: 'string', versions: '0+' },
    generationIdOrMemberEpoch: { type: 'int32', versions: '1+', default: -1, ignorable: true },
    memberId: { type: 'string', versions: '1+', ignorable: true },
    groupInstanceId: { type: 'string', versions: '7+', nullable: '7+', default: null },
    retentionTimeMs: { type: 'int64', versions: '2-4', default: -1n, ignorable: true },
    topics: { type: '[]struct', versions: '0+', of: {
      name: { type: 'string', versions: '0-9', ignorable: true },
      topicId: { type: 'uuid', versions: '10+', ignorable: true },
      partitions: { type: '[]struct', versions: '0+', of: {
        partitionIndex: { type: 'int32', versions: '0+' },
        committedOffset: { type: 'int64', versions: '0+' },
        committedLeaderEpoch: { type: 'int32', versions: '6+', default: -1, ignorable: true },
        committedMetadata: { type: 'string', versions: '0+', nullable: '0+' },
      } },
    } },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '3+', ignorable: true },
    topics: { type: '[]struct', versions: '0+', of: {
      name: { type: 'string', versions: '0-9', ignorable: true },
      topicId: { type: 'uuid', versions: '10+', ignorable: true },
      partitions: { type: '[]struct', versions: '0+', of: {
        partitionIndex: { type: 'int32', versions: '0+' },
        errorCode: { type: 'int16', versions: '0+' },
      } },
    } },
  },
});
