import { defineMetadataRecord } from './define.js';

export const removeAccessControlEntryRecord = defineMetadataRecord({
  type: 19,
  name: 'RemoveAccessControlEntryRecord',
  versions: '0',
  flexible: '0+',
  fields: {
    id: { type: 'uuid', versions: '0+' },
  },
});
