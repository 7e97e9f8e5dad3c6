// What the group coordinator needs from the world. The composition root puts the engine and the metadata behind it, a test
// whatever it needs.

export interface RecordBytes {
  readonly key: Buffer;
  /** Null takes back what was written under the key. */
  readonly value: Buffer | null;
}

export interface StoredRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestampMs: number;
  /** Of the transaction that it is part of; left out: of none. */
  readonly producerId?: bigint;
}

/** A transaction of a producer ends: what it wrote counts from here on, or never. */
export interface EndedTransaction {
  readonly producerId: bigint;
  readonly isCommitted: boolean;
}

/** The topic in which groups and offsets are kept. */
export interface OffsetsLog {
  /** 0: there is no such topic yet. */
  readonly partitionCount: number;
  /**
   * Appends one batch; resolves when it is durable. Promises of one partition settle in the order of the calls. A failure is
   * a KafkaError; after it nothing of the batch is in the log.
   */
  append(partition: number, records: readonly RecordBytes[]): Promise<void>;
  /** Everything in the log from its start to its present end, oldest first, some records at a time. */
  read(partition: number): AsyncIterable<readonly (StoredRecord | EndedTransaction)[]>;
}

export interface TopicCatalog {
  /** Null: no such topic. */
  topicId(name: string): string | null;
  topicName(id: string): string | null;
  /** 0: no such topic. */
  partitionCount(name: string): number;
}

export interface Clock {
  wallMs(): number;
  /** Never jumps, whatever happens to the wall clock. */
  monotonicMs(): number;
}

/** One moment on both clocks: timers go by the monotonic one, what is written goes by the wall clock. */
export interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export interface Logger {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Read at each use, so that settings may change while running. */
export interface CoordinatorConfig {
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  readonly initialRebalanceDelayMs: number;
  readonly maxGroupSize: number;
  /** How long a join of a member that nobody knows may be parked, before it has to try again. */
  readonly newMemberJoinTimeoutMs: number;
  readonly offsetMetadataMaxBytes: number;
  /** Who asks for something that has to be written waits for that no longer. */
  readonly writeTimeoutMs: number;
  readonly offsetsRetentionMs: number;
  readonly offsetsRetentionCheckIntervalMs: number;
  /** Bounds on memory, which Kafka lacks: who runs into one is asked to come again later. */
  readonly maxGroups: number;
  readonly maxPendingMembersPerGroup: number;
  /** Of subscriptions and assignments, in all groups together. */
  readonly maxMemberBytes: number;
}

export interface Environment {
  readonly config: CoordinatorConfig;
  readonly log: Logger;
  /** A random UUID as text. */
  uuid(): string;
}
