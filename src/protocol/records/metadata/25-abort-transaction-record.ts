import { defineMetadataRecord } from './define.js';

export const abortTransactionRecord = defineMetadataRecord({
  type: 25,
  name: 'AbortTransactionRecord',
  versions: '0',
  flexible: '0+',
  fields: {
    reason: { type: 'string', versions: '0+', nullable: '0+', tag: 0, tagged: '0+', default: null },
  },
});
