import { defineMessage } from '../message.js';

export const consumerProtocolAssignment = defineMessage({
  name: 'ConsumerProtocolAssignment',
  versions: '0-3',
  flexible: 'none',
  fields: {
    assignedPartitions: { type: '[]struct', versions: '0+', of: {
      topic: { type: 'string', versions: '0+' },
      partitions: { type: '[]int32', versions: '0+' },
    } },
    userData: { type: 'bytes', versions: '0+', nullable: '0+', default: null },
  },
});
