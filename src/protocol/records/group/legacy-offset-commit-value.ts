import { defineMessage } from '../../message.js';

export const legacyOffsetCommitValue = defineMessage({
  name: 'LegacyOffsetCommitValue',
  versions: '0',
  flexible: 'none',
  fields: {
    offset: { type: 'int64', versions: '0' },
    metadata: { type: 'string', versions: '0' },
    commitTimestamp: { type: 'int64', versions: '0' },
  },
});
