import { defineMetadataRecord } from './define.js';

export const partitionRecord = defineMetadataRecord({
  type: 3,
  name: 'PartitionRecord',
  versions: '0-2',
  flexible: '0+',
  fields: {
    partitionId: { type: 'int32', versions: '0+', default: -1 },
    topicId: { type: 'uuid', versions: '0+' },
    replicas: { type: '[]int32', versions: '0+' },
    isr: { type: '[]int32', versions: '0+' },
    removingReplicas: { type: '[]int32', versions: '0+' },
    addingReplicas: { type: '[]int32', versions: '0+' },
    leader: { type: 'int32', versions: '0+', default: -1 },
    leaderRecoveryState: { type: 'int8', versions: '0+', tag: 0, tagged: '0+' },
    leaderEpoch: { type: 'int32', versions: '0+', default: -1 },
    partitionEpoch: { type: 'int32', versions: '0+', default: -1 },
    directories: { type: '[]uuid', versions: '1+' },
    eligibleLeaderReplicas: { type: '[]int32', versions: '2+', nullable: '2+', tag: 1, tagged: '2+', default: null },
    lastKnownElr: { type: '[]int32', versions: '2+', nullable: '2+', tag: 2, tagged: '2+', default: null },
  },
});
