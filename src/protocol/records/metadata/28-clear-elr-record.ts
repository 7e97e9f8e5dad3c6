import { defineMetadataRecord } from './define.js';

export const clearElrRecord = defineMetadataRecord({
  type: 28,
  name: 'ClearElrRecord',
  versions: '0',
  flexible: '0+',
  fields: {
    topicName: { type: 'string', versions: '0+' },
  },
});
