import { defineMessage } from '../../message.js';
import { type FieldTable } from '../../schema.js';

const voter = {
  voterId: { type: 'int32', versions: '0+' },
  voterDirectoryId: { type: 'uuid', versions: '1+' },
} as const satisfies FieldTable;

export const leaderChangeMessage = defineMessage({
  name: 'LeaderChangeMessage',
  versions: '0-1',
  flexible: '0+',
  fields: {
    version: { type: 'int16', versions: '0+' },
    leaderId: { type: 'int32', versions: '0+' },
    voters: { type: '[]struct', versions: '0+', of: voter },
    grantingVoters: { type: '[]struct', versions: '0+', of: voter },
  },
});
