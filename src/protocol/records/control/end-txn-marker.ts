import { defineMessage } from '../../message.js';

export const endTxnMarker = defineMessage({
  name: 'EndTxnMarker',
  versions: '0',
  flexible: 'none',
  fields: {
    coordinatorEpoch: { type: 'int32', versions: '0+' },
  },
});
