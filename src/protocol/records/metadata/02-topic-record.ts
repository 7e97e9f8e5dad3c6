import { defineMetadataRecord } from './define.js';

export const topicRecord = defineMetadataRecord({
  type: 2,
  name: 'TopicRecord',
  versions: '0',
  flexible: '0+',
  fields: {
    name: { type: 'string', versions: '0+' },
    topicId: { type: 'uuid', versions: '0+' },
  },
});
