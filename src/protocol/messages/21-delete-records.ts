import { defineApi } from '../api.js';

export const deleteRecordsApi = defineApi({
  key: 21,
  name: 'DeleteRecords',
  versions: '0-2',
  flexible: '2+',
  request: {
    topics: { type: '[]struct', versions: '0+', of: {
      name: { type: 'string', versions: '0+' },
      partitions: { type: '[]struct', versions: '0+', of: {
        partitionIndex: { type: 'int32', versions: '0+' },
        offset: { type: 'int64', versions: '0+' },
      } },
    } },
    timeoutMs: { type: 'int32', versions: '0+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '0+' },
    topics: { type: '[]struct', versions: '0+', of: {
      name: { type: 'string', versions: '0+' },
      partitions: { type: '[]struct', versions: '0+', of: {
        partitionIndex: { type: 'int32', versions: '0+' },
        lowWatermark: { type: 'int64', versions: '0+' },
        errorCode: { type: 'int16', versions: '0+' },
      } },
    } },
  },
});
