import { defineApi } from '../api.js';

export const offsetDeleteApi = defineApi({
  key: 47,
  name: 'OffsetDelete',
  versions: '0',
  flexible: 'none',
  request: {
    groupId: { type: 'string', versions: '0+' },
    topics: { type: '[]struct', versions: '0+', of: {
      name: { type: 'string', versions: '0+' },
      partitions: { type: '[]struct', versions: '0+', of: {
        partitionIndex: { type: 'int32', versions: '0+' },
      } },
    } },
  },
  response: {
    errorCode: { type: 'int16', versions: '0+' },
    throttleTimeMs: { type: 'int32', versions: '0+', ignorable: true },
    topics: { type: '[]struct', versions: '0+', of: {
      name: { type: 'string', versions: '0+' },
      partitions: { type: '[]struct', versions: '0+', of: {
        partitionIndex: { type: 'int32', versions: '0+' },
        errorCode: { type: 'int16', versions: '0+' },
      } },
    } },
  },
});
