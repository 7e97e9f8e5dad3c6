// The levels of metadata.version, Kafka's number for what its metadata records may say, and the record versions they allow.

/** What a directory is formatted with: 4.4-IV2, the last level of Kafka 4.4. */
export const LATEST_METADATA_VERSION = 33;
/** 3.3-IV3, as old as Kafka 4.x reads. */
export const MINIMUM_METADATA_VERSION = 7;

export const METADATA_VERSION_FEATURE = 'metadata.version';
/** The format of the raft log itself: 0 is a set of voters that the configuration names. */
export const KRAFT_VERSION_FEATURE = 'kraft.version';

/** Whether replicas that fell out of sync may still be elected; settings of in-sync replicas then belong to the cluster and to topics only. */
export const ELIGIBLE_LEADERS_FEATURE = 'eligible.leader.replicas.version';
export const ELIGIBLE_LEADERS_LEVEL = 1;

const levels = {
  /** 3.7-IV2: each replica names its log directory. */
  directoryAssignment: 17,
  /** 3.4-IV0: brokers on their way from ZooKeeper. */
  migration: 8,
  /** 4.0-IV1: eligible leader replicas. */
  eligibleLeaders: 23,
  /** 4.3-IV0: log directories that take no new partitions. */
  cordonedDirectories: 30,
} as const;

export interface RecordVersions {
  readonly partition: number;
  readonly partitionChange: number;
  readonly registerBroker: number;
}

export function recordVersions(metadataVersion: number): RecordVersions {
  const partition = metadataVersion >= levels.eligibleLeaders ? 2 : metadataVersion >= levels.directoryAssignment ? 1 : 0;
  return {
    partition,
    partitionChange: partition,
    registerBroker:
      metadataVersion >= levels.cordonedDirectories ? 4
      : metadataVersion >= levels.directoryAssignment ? 3
      : metadataVersion >= levels.migration ? 2
      : 1,
  };
}
