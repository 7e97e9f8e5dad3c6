import { defineMetadataRecord } from './define.js';

export const removeTopicRecord = defineMetadataRecord({
  type: 9,
  name: 'RemoveTopicRecord',
  versions: '0',
  flexible: '0+',
  fields: {
    topicId: { type: 'uuid', versions: '0+' },
  },
});
