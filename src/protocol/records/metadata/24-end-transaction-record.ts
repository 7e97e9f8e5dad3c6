import { defineMetadataRecord } from './define.js';

export const endTransactionRecord = defineMetadataRecord({
  type: 24,
  name: 'EndTransactionRecord',
  versions: '0',
  flexible: '0+',
  fields: {},
});
