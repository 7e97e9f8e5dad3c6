// What handlers are given to work with. The composition root in broker/ puts the real things behind these shapes, a unit
// test puts whatever it needs.
import { type GroupCoordinator } from '../coordinator/index.js';
import { type ConfigOverrides, type MetadataImage } from '../metadata/image.js';
import { type ResourceChange } from '../metadata/configs.js';
import { type CreatedTopic, type Outcome, type PartitionsToAdd, type TopicToCreate } from '../metadata/topics.js';

export interface Logger {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

export interface Clock {
  /** Wall clock in milliseconds. */
  now(): number;
}

/** A partition by the id of its topic: names can be given to another topic. */
export interface TopicIdPartition {
  readonly topicId: string;
  readonly partition: number;
}

export interface LogOffsets {
  readonly logStart: bigint;
  readonly highWatermark: bigint;
  readonly lastStable: bigint;
  readonly logEnd: bigint;
}

export interface TimestampOffset {
  readonly timestamp: bigint;
  readonly offset: bigint;
  readonly leaderEpoch: number;
}

export interface LogDescription extends TopicIdPartition {
  readonly sizeBytes: bigint;
  readonly logStart: bigint;
  readonly logEnd: bigint;
}

/** The partitions' logs, as far as handlers need them. Failures are KafkaErrors. */
export interface PartitionLogs {
  offsets(partition: TopicIdPartition): Promise<LogOffsets>;
  /** The first record with at least this timestamp, or null. */
  findTimestamp(partition: TopicIdPartition, timestamp: bigint): Promise<TimestampOffset | null>;
  findMaxTimestamp(partition: TopicIdPartition): Promise<TimestampOffset | null>;
  /** The leader epoch under which an offset was written; -1: unknown. */
  epochOf(partition: TopicIdPartition, offset: bigint): Promise<number>;
  /** Where the greatest epoch up to this one ends; -1 and -1: there is none. */
  epochEnd(partition: TopicIdPartition, leaderEpoch: number): Promise<{ leaderEpoch: number; endOffset: bigint }>;
  /** Moves the start of the log; resolves with the new start when that is durable. */
  deleteRecords(partition: TopicIdPartition, offset: bigint): Promise<bigint>;
  describeLogs(): Promise<readonly LogDescription[]>;
}

export interface ListenerAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** One setting as DescribeConfigs tells it. Numbers are the protocol's. */
export interface ConfigEntry {
  readonly name: string;
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly isSensitive: boolean;
  readonly source: number;
  readonly type: number;
  readonly documentation: string | null;
  /** What would count, most important first; the first one does. */
  readonly synonyms: readonly { readonly name: string; readonly value: string | null; readonly source: number }[];
}

export interface ConfigService {
  /** All settings of a topic that has these overrides. */
  describeTopic(overrides: ConfigOverrides): readonly ConfigEntry[];
  /** All settings of this broker. */
  describeBroker(): readonly ConfigEntry[];
  /** What was set for all brokers of the cluster. */
  describeBrokerDefaults(): readonly ConfigEntry[];
  /** Whether old records of the topic are deleted: a topic that is only compacted keeps all keys. */
  deletesRecords(topic: string): boolean;
  /** One outcome per resource; they are in effect when it resolves. */
  change(resources: readonly ResourceChange[], validateOnly: boolean): Promise<Outcome<void>[]>;
}

export interface TopicService {
  create(topics: readonly TopicToCreate[], validateOnly: boolean): Promise<Outcome<CreatedTopic>[]>;
  /** Creates a topic that was merely asked for, internal ones with their own settings. */
  createMissing(names: readonly string[]): Promise<Outcome<CreatedTopic>[]>;
  delete(ids: readonly string[]): Promise<Outcome<void>[]>;
  addPartitions(wishes: readonly PartitionsToAdd[], validateOnly: boolean): Promise<Outcome<void>[]>;
  /** Whether the data plane could not open the log of a partition. */
  isOffline(partition: TopicIdPartition): boolean;
}

export interface ProducerIdService {
  /** A producer id that nobody was given before, not even before a crash. */
  next(): Promise<bigint>;
}

/** Settings that handlers look at, with what was changed while running. */
export interface BrokerSettings {
  readonly nodeId: number;
  readonly rack: string | null;
  readonly autoCreateTopics: boolean;
  readonly deleteTopics: boolean;
  readonly maxPartitionsPerDescribe: number;
  readonly maxTransactionTimeoutMs: number;
  readonly logDir: string;
}

export interface FeatureRange {
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

export interface BrokerServices {
  readonly clusterId: string;
  readonly config: BrokerSettings;
  /** What is durable and served. */
  readonly metadata: { readonly image: MetadataImage };
  readonly topics: TopicService;
  readonly configs: ConfigService;
  readonly engine: PartitionLogs;
  readonly producerIds: ProducerIdService;
  /** Where clients of each listener find this broker. */
  readonly advertised: readonly ListenerAddress[];
  /** What ApiVersions says is served. */
  readonly apiVersions: readonly { readonly apiKey: number; readonly minVersion: number; readonly maxVersion: number }[];
  readonly supportedFeatures: readonly FeatureRange[];
  readonly groups: GroupCoordinator;
  readonly log: Logger;
  readonly clock: Clock;
}
