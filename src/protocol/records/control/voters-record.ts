import { defineMessage } from '../../message.js';

export const votersRecord = defineMessage({
  name: 'VotersRecord',
  versions: '0',
  flexible: '0+',
  fields: {
    version: { type: 'int16', versions: '0+' },
    voters: { type: '[]struct', versions: '0+', of: {
      voterId: { type: 'int32', versions: '0+' },
      voterDirectoryId: { type: 'uuid', versions: '0+' },
      endpoints: { type: '[]struct', versions: '0+', of: {
        name: { type: 'string', versions: '0+' },
        host: { type: 'string', versions: '0+' },
        port: { type: 'uint16', versions: '0+' },
      } },
      kRaftVersionFeature: { type: 'struct', versions: '0+', of: {
        minSupportedVersion: { type: 'int16', versions: '0+' },
        maxSupportedVersion: { type: 'int16', versions: '0+' },
      } },
    } },
  },
});
