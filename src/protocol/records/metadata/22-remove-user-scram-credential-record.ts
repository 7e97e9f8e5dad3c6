import { defineMetadataRecord } from './define.js';

export const removeUserScramCredentialRecord = defineMetadataRecord({
  type: 22,
  name: 'RemoveUserScramCredentialRecord',
  versions: '0',
  flexible: '0+',
  fields: {
    name: { type: 'string', versions: '0+' },
    mechanism: { type: 'int8', versions: '0+' },
  },
});
