import { defineMessage } from '../../message.js';
import { type FieldTable } from '../../schema.js';

const memberMetadata = {
  memberId: { type: 'string', versions: '0+' },
  groupInstanceId: { type: 'string', versions: '3+', nullable: '3+', default: null, ignorable: true },
  clientId: { type: 'string', versions: '0+' },
  clientHost: { type: 'string', versions: '0+' },
  rebalanceTimeout: { type: 'int32', versions: '1+', default: -1, ignorable: true },
  sessionTimeout: { type: 'int32', versions: '0+' },
  subscription: { type: 'bytes', versions: '0+' },
  assignment: { type: 'bytes', versions: '0+' },
} as const satisfies FieldTable;

export const groupMetadataValue = defineMessage({
  name: 'GroupMetadataValue',
  versions: '0-4',
  flexible: '4+',
  fields: {
    protocolType: { type: 'string', versions: '0+' },
    generation: { type: 'int32', versions: '0+' },
    protocol: { type: 'string', versions: '0+', nullable: '0+' },
    leader: { type: 'string', versions: '0+', nullable: '0+' },
    currentStateTimestamp: { type: 'int64', versions: '2+', default: -1n, ignorable: true },
    members: { type: '[]struct', versions: '0+', of: memberMetadata },
  },
});
