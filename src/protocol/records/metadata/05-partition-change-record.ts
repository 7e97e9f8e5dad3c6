import { defineMetadataRecord } from './define.js';

export const partitionChangeRecord = defineMetadataRecord({
  type: 5,
  name: 'PartitionChangeRecord',
  versions: '0-2',
  flexible: '0+',
  fields: {
    partitionId: { type: 'int32', versions: '0+', default: -1 },
    topicId: { type: 'uuid', versions: '0+' },
    isr: { type: '[]int32', versions: '0+', nullable: '0+', tag: 0, tagged: '0+', default: null },
    leader: { type: 'int32', versions: '0+', tag: 1, tagged: '0+', default: -2 },
    replicas: { type: '[]int32', versions: '0+', nullable: '0+', tag: 2, tagged: '0+', default: null },
    removingReplicas: { type: '[]int32', versions: '0+', nullable: '0+', tag: 3, tagged: '0+', default: null },
    addingReplicas: { type: '[]int32', versions: '0+', nullable: '0+', tag: 4, tagged: '0+', default: null },
    leaderRecoveryState: { type: 'int8', versions: '0+', tag: 5, tagged: '0+', default: -1 },
    directories: { type: '[]uuid', versions: '1+', nullable: '1+', tag: 8, tagged: '1+', default: null },
    eligibleLeaderReplicas: { type: '[]int32', versions: '2+', nullable: '2+', tag: 6, tagged: '2+', default: null },
    lastKnownElr: { type: '[]int32', versions: '2+', nullable: '2+', tag: 7, tagged: '2+', default: null },
  },
});
