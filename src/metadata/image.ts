// The cluster as the metadata records tell it: immutable, each version sharing what did not change with the one before.
import { PersistentMap } from './persistent-map.js';
import { type AnyMetadataRecord } from './records.js';

export interface PartitionImage {
  readonly index: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly removingReplicas: readonly number[];
  readonly addingReplicas: readonly number[];
  /** -1: none. */
  readonly leader: number;
  readonly leaderRecoveryState: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly directories: readonly string[];
  readonly eligibleLeaderReplicas: readonly number[];
  readonly lastKnownElr: readonly number[];
}

export interface TopicImage {
  readonly name: string;
  readonly id: string;
  /** At its own index each, without gaps. */
  readonly partitions: readonly PartitionImage[];
}

export interface EndpointImage {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly securityProtocol: number;
}

export interface BrokerImage {
  readonly id: number;
  readonly epoch: bigint;
  readonly incarnationId: string;
  readonly endpoints: readonly EndpointImage[];
  readonly rack: string | null;
  readonly fenced: boolean;
  readonly inControlledShutdown: boolean;
  readonly logDirs: readonly string[];
  /** Null: the broker does not say. */
  readonly cordonedLogDirs: readonly string[] | null;
  readonly features: readonly FeatureSupport[];
}

export interface FeatureSupport {
  readonly name: string;
  readonly minSupportedVersion: number;
  readonly maxSupportedVersion: number;
}

/** Kafka's numbers of config resources. */
export const resourceTypes = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 } as const;

export type ConfigOverrides = ReadonlyMap<string, string>;

export interface MetadataImage {
  /** The last record that is in this image; -1: none. */
  readonly offset: bigint;
  /** The leader epoch of that record. */
  readonly epoch: number;
  /** Finalized levels, as in the records: more than this broker serves may stand here. */
  readonly features: ReadonlyMap<string, number>;
  readonly topics: PersistentMap<TopicImage>;
  /** Names by id. */
  readonly topicNames: PersistentMap<string>;
  /** Names by `collisionKey`, of topics that can collide. */
  readonly collidingNames: PersistentMap<readonly string[]>;
  /** Overrides by `configKey`. A resource without any is absent. */
  readonly configs: PersistentMap<ConfigOverrides>;
  readonly brokers: ReadonlyMap<number, BrokerImage>;
  /** The first producer id that no broker was given yet. */
  readonly nextProducerId: bigint;
  readonly partitionCount: number;
  /** What is served by nothing here and must outlive a snapshot all the same: the newest record of each thing, by `keptKey`. */
  readonly kept: PersistentMap<AnyMetadataRecord>;
}

export const emptyImage: MetadataImage = Object.freeze({
  offset: -1n,
  epoch: 0,
  features: new Map<string, number>(),
  topics: PersistentMap.empty<TopicImage>(),
  topicNames: PersistentMap.empty<string>(),
  collidingNames: PersistentMap.empty<readonly string[]>(),
  configs: PersistentMap.empty<ConfigOverrides>(),
  brokers: new Map<number, BrokerImage>(),
  nextProducerId: 0n,
  partitionCount: 0,
  kept: PersistentMap.empty<AnyMetadataRecord>(),
});

const NO_OVERRIDES: ConfigOverrides = new Map();

export function configKey(resourceType: number, resourceName: string): string {
  return `${resourceType}:${resourceName}`;
}

export function parseConfigKey(key: string): { resourceType: number; resourceName: string } {
  const colon = key.indexOf(':');
  return { resourceType: Number(key.slice(0, colon)), resourceName: key.slice(colon + 1) };
}

export function overridesOf(image: MetadataImage, resourceType: number, resourceName: string): ConfigOverrides {
  return image.configs.get(configKey(resourceType, resourceName)) ?? NO_OVERRIDES;
}

export function topicById(image: MetadataImage, id: string): TopicImage | undefined {
  const name = image.topicNames.get(id);
  return name === undefined ? undefined : image.topics.get(name);
}
