import { defineMetadataRecord } from './define.js';

export const noOpRecord = defineMetadataRecord({
  type: 20,
  name: 'NoOpRecord',
  versions: '0',
  flexible: '0+',
  fields: {},
});
