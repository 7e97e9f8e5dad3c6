import { defineApi } from '../api.js';

export const deleteTopicsApi = defineApi({
  key: 20,
  name: 'DeleteTopics',
  versions: '1-6',
  flexible: '4+',
  request: {
    topics: { type: '[]struct', versions: '6+', of: {
      name: { type: 'string', versions: '6+', nullable: '6+', default: null },
      topicId: { type: 'uuid', versions: '6+' },
    } },
    topicNames: { type: '[]string', versions: '0-5', ignorable: true },
    timeoutMs: { type: 'int32', versions: '0+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '1+', ignorable: true },
    responses: { type: '[]struct', versions: '0+', of: {
      name: { type: 'string', versions: '0+', nullable: '6+' },
      topicId: { type: 'uuid', versions: '6+', ignorable: true },
      errorCode: { type: 'int16', versions: '0+' },
      errorMessage: { type: 'string', versions: '5+', nullable: '5+', default: null, ignorable: true },
    } },
  },
});
