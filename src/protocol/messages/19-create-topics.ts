import { defineApi } from '../api.js';

export const createTopicsApi = defineApi({
  key: 19,
  name: 'CreateTopics',
  versions: '2-7',
  flexible: '5+',
  request: {
    topics: { type: '[]struct', versions: '0+', of: {
      name: { type: 'string', versions: '0+' },
      numPartitions: { type: 'int32', versions: '0+' },
      replicationFactor: { type: 'int16', versions: '0+' },
      assignments: { type: '[]struct', versions: '0+', of: {
        partitionIndex: { type: 'int32', versions: '0+' },
        brokerIds: { type: '[]int32', versions: '0+' },
      } },
      configs: { type: '[]struct', versions: '0+', of: {
        name: { type: 'string', versions: '0+' },
        value: { type: 'string', versions: '0+', nullable: '0+' },
      } },
    } },
    timeoutMs: { type: 'int32', versions: '0+', default: 60000 },
    validateOnly: { type: 'bool', versions: '1+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '2+', ignorable: true },
    topics: { type: '[]struct', versions: '0+', of: {
      name: { type: 'string', versions: '0+' },
      topicId: { type: 'uuid', versions: '7+', ignorable: true },
      errorCode: { type: 'int16', versions: '0+' },
      errorMessage: { type: 'string', versions: '1+', nullable: '0+', ignorable: true },
      topicConfigErrorCode: { type: 'int16', versions: '5+', tag: 0, tagged: '5+', ignorable: true },
      numPartitions: { type: 'int32', versions: '5+', default: -1, ignorable: true },
      replicationFactor: { type: 'int16', versions: '5+', default: -1, ignorable: true },
      configs: { type: '[]struct', versions: '5+', nullable: '5+', ignorable: true, of: {
        name: { type: 'string', versions: '5+' },
        value: { type: 'string', versions: '5+', nullable: '5+' },
        readOnly: { type: 'bool', versions: '5+' },
        configSource: { type: 'int8', versions: '5+', default: -1, ignorable: true },
        isSensitive: { type: 'bool', versions: '5+' },
      } },
    } },
  },
});
