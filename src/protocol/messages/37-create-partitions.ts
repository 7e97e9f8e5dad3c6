import { defineApi } from '../api.js';

export const createPartitionsApi = defineApi({
  key: 37,
  name: 'CreatePartitions',
  versions: '0-3',
  flexible: '2+',
  request: {
    topics: { type: '[]struct', versions: '0+', of: {
      name: { type: 'string', versions: '0+' },
      count: { type: 'int32', versions: '0+' },
      assignments: { type: '[]struct', versions: '0+', nullable: '0+', of: {
        brokerIds: { type: '[]int32', versions: '0+' },
      } },
    } },
    timeoutMs: { type: 'int32', versions: '0+' },
    validateOnly: { type: 'bool', versions: '0+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '0+' },
    results: { type: '[]struct', versions: '0+', of: {
      name: { type: 'string', versions: '0+' },
      errorCode: { type: 'int16', versions: '0+' },
      errorMessage: { type: 'string', versions: '0+', nullable: '0+', default: null },
    } },
  },
});
