import { defineApi } from '../api.js';

export const describeLogDirsApi = defineApi({
  key: 35,
  name: 'DescribeLogDirs',
  versions: '1-5',
  flexible: '2+',
  request: {
    topics: { type: '[]struct', versions: '0+', nullable: '0+', of: {
      topic: { type: 'string', versions: '0+' },
      partitions: { type: '[]int32', versions: '0+' },
    } },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '0+' },
    errorCode: { type: 'int16', versions: '3+', ignorable: true },
    results: { type: '[]struct', versions: '0+', of: {
      errorCode: { type: 'int16', versions: '0+' },
      logDir: { type: 'string', versions: '0+' },
      topics: { type: '[]struct', versions: '0+', of: {
        name: { type: 'string', versions: '0+' },
        partitions: { type: '[]struct', versions: '0+', of: {
          partitionIndex: { type: 'int32', versions: '0+' },
          partitionSize: { type: 'int64', versions: '0+' },
          offsetLag: { type: 'int64', versions: '0+' },
          isFutureKey: { type: 'bool', versions: '0+' },
        } },
      } },
      totalBytes: { type: 'int64', versions: '4+', default: -1n, ignorable: true },
      usableBytes: { type: 'int64', versions: '4+', default: -1n, ignorable: true },
      isCordoned: { type: 'bool', versions: '5+', ignorable: true },
    } },
  },
});
