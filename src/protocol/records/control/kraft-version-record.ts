import { defineMessage } from '../../message.js';

export const kRaftVersionRecord = defineMessage({
  name: 'KRaftVersionRecord',
  versions: '0',
  flexible: '0+',
  fields: {
    version: { type: 'int16', versions: '0+' },
    kRaftVersion: { type: 'int16', versions: '0+' },
  },
});
