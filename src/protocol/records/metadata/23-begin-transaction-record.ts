import { defineMetadataRecord } from './define.js';

export const beginTransactionRecord = defineMetadataRecord({
  type: 23,
  name: 'BeginTransactionRecord',
  versions: '0',
  flexible: '0+',
  fields: {
    name: { type: 'string', versions: '0+', nullable: '0+', tag: 0, tagged: '0+', default: null },
  },
});
