import { defineMessage } from '../../message.js';

export const snapshotHeaderRecord = defineMessage({
  name: 'SnapshotHeaderRecord',
  versions: '0',
  flexible: '0+',
  fields: {
    version: { type: 'int16', versions: '0+' },
    lastContainedLogTimestamp: { type: 'int64', versions: '0+' },
  },
});
