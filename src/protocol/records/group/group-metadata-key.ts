import { defineMessage } from '../../message.js';

export const groupMetadataKey = defineMessage({
  name: 'GroupMetadataKey',
  versions: '0',
  flexible: 'none',
  fields: {
    group: { type: 'string', versions: '0' },
  },
});
