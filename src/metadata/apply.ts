// Metadata records folded into an image. Pure: the image that goes in stays as it is.
import {
  type BrokerImage, type ConfigOverrides, type MetadataImage, type PartitionImage, type TopicImage, configKey, resourceTypes,
} from './image.js';
import { type PersistentMapEdit } from './persistent-map.js';
import { canCollide, collisionKey } from './topic-names.js';
import { keptChange } from './kept.js';
import { type AnyMetadataRecord, type ValueOf } from './records.js';

/** The records contradict each other: they were damaged, or written by something that is not understood here. */
export class MetadataError extends Error {
  override readonly name = 'MetadataError';
}

const NO_CHANGE_LEADER = -2;
export const MAX_PARTITIONS_OF_A_TOPIC = 1_000_000;

/** A draft of the next image. Topics that change again and again (one record a partition) are copied once. */
class Draft {
  readonly #base: MetadataImage;
  readonly #topics: PersistentMapEdit<TopicImage>;
  readonly #names: PersistentMapEdit<string>;
  readonly #colliding: PersistentMapEdit<readonly string[]>;
  readonly #configs: PersistentMapEdit<ConfigOverrides>;
  readonly #kept: PersistentMapEdit<AnyMetadataRecord>;
  readonly #ownedTopics = new Map<string, { image: TopicImage; partitions: PartitionImage[] }>();
  readonly #ownedConfigs = new Map<string, Map<string, string>>();
  #features: Map<string, number> | undefined;
  #brokers: Map<number, BrokerImage> | undefined;
  #nextProducerId: bigint;
  #partitionCount: number;

  constructor(base: MetadataImage) {
    this.#base = base;
    this.#topics = base.topics.edit();
    this.#names = base.topicNames.edit();
    this.#colliding = base.collidingNames.edit();
    this.#configs = base.configs.edit();
    this.#kept = base.kept.edit();
    this.#nextProducerId = base.nextProducerId;
    this.#partitionCount = base.partitionCount;
  }

  finish(offset: bigint, epoch: number): MetadataImage {
    return Object.freeze({
      offset,
      epoch,
      features: this.#features ?? this.#base.features,
      topics: this.#topics.done(),
      topicNames: this.#names.done(),
      collidingNames: this.#colliding.done(),
      configs: this.#configs.done(),
      brokers: this.#brokers ?? this.#base.brokers,
      nextProducerId: this.#nextProducerId,
      partitionCount: this.#partitionCount,
      kept: this.#kept.done(),
    });
  }

  apply(record: AnyMetadataRecord): void {
    switch (record.name) {
      case 'TopicRecord': return this.#topic(record.value);
      case 'RemoveTopicRecord': return this.#removeTopic(record.value);
      case 'PartitionRecord': return this.#partition(record.value);
      case 'PartitionChangeRecord': return this.#partitionChange(record.value);
      case 'ConfigRecord': return this.#config(record.value);
      case 'FeatureLevelRecord': return this.#feature(record.value);
      case 'RegisterBrokerRecord': return this.#registerBroker(record.value);
      case 'BrokerRegistrationChangeRecord': return this.#changeBroker(record.value);
      case 'FenceBrokerRecord': return this.#fence(record.value.id, true);
      case 'UnfenceBrokerRecord': return this.#fence(record.value.id, false);
      case 'UnregisterBrokerRecord': return this.#unregisterBroker(record.value);
      case 'ProducerIdsRecord': {
        this.#nextProducerId = record.value.nextProducerId;
        return;
      }
      default: {
        const change = keptChange(record);
        if (change === undefined) return;
        if (change.isRemoval) this.#kept.delete(change.key);
        else this.#kept.set(change.key, record);
      }
    }
  }

  #ownTopic(id: string, why: string): { image: TopicImage; partitions: PartitionImage[] } {
    const owned = this.#ownedTopics.get(id);
    if (owned !== undefined) return owned;
    const name = this.#names.get(id);
    const topic = name === undefined ? undefined : this.#topics.get(name);
    if (topic === undefined) throw new MetadataError(`${why} for the unknown topic id ${id}`);
    return this.#own(topic);
  }

  #own(topic: TopicImage): { image: TopicImage; partitions: PartitionImage[] } {
    const partitions = [...topic.partitions];
    const image: TopicImage = { name: topic.name, id: topic.id, partitions };
    const owned = { image, partitions };
    this.#ownedTopics.set(topic.id, owned);
    this.#topics.set(topic.name, image);
    return owned;
  }

  #topic({ name, topicId }: ValueOf<'TopicRecord'>): void {
    if (this.#topics.get(name) !== undefined) throw new MetadataError(`a second topic of the name '${name}'`);
    if (this.#names.get(topicId) !== undefined) throw new MetadataError(`a second topic with the id ${topicId}`);
    this.#names.set(topicId, name);
    if (canCollide(name)) this.#colliding.set(collisionKey(name), [...(this.#colliding.get(collisionKey(name)) ?? []), name]);
    this.#own({ name, id: topicId, partitions: [] });
  }

  #removeTopic({ topicId }: ValueOf<'RemoveTopicRecord'>): void {
    const name = this.#names.get(topicId);
    const topic = name === undefined ? undefined : this.#topics.get(name);
    if (name === undefined || topic === undefined) throw new MetadataError(`removal of the unknown topic id ${topicId}`);
    this.#partitionCount -= topic.partitions.length;
    this.#topics.delete(name);
    this.#names.delete(topicId);
    if (canCollide(name)) this.#forgetCollision(name);
    this.#ownedTopics.delete(topicId);
    const key = configKey(resourceTypes.topic, name);
    this.#configs.delete(key);
    this.#ownedConfigs.delete(key);
  }

  /** Two names of one key can be there: those that one request made are not compared with each other. */
  #forgetCollision(name: string): void {
    const key = collisionKey(name);
    const others = (this.#colliding.get(key) ?? []).filter((each) => each !== name);
    if (others.length === 0) this.#colliding.delete(key);
    else this.#colliding.set(key, others);
  }

  #partition(data: ValueOf<'PartitionRecord'>): void {
    const { partitions, image } = this.#ownTopic(data.topicId, 'a partition');
    const partition: PartitionImage = {
      index: data.partitionId,
      replicas: data.replicas,
      isr: data.isr,
      removingReplicas: data.removingReplicas,
      addingReplicas: data.addingReplicas,
      leader: data.leader,
      leaderRecoveryState: data.leaderRecoveryState,
      leaderEpoch: data.leaderEpoch,
      partitionEpoch: data.partitionEpoch,
      directories: data.directories,
      eligibleLeaderReplicas: data.eligibleLeaderReplicas ?? [],
      lastKnownElr: data.lastKnownElr ?? [],
    };
    const { index } = partition;
    // Kafka's controllers write the partitions of a topic in no particular order: there may be holes for a while.
    if (index < 0 || index >= MAX_PARTITIONS_OF_A_TOPIC) {
      throw new MetadataError(`a partition ${index} of topic '${image.name}'`);
    }
    if (partitions[index] === undefined) this.#partitionCount += 1;
    partitions[index] = partition;
  }

  #partitionChange(data: ValueOf<'PartitionChangeRecord'>): void {
    const { partitions, image } = this.#ownTopic(data.topicId, 'a change of a partition');
    const before = partitions[data.partitionId];
    if (before === undefined) {
      throw new MetadataError(`a change of the unknown partition ${data.partitionId} of topic '${image.name}'`);
    }
    const leads = data.leader !== NO_CHANGE_LEADER;
    partitions[data.partitionId] = {
      index: before.index,
      replicas: data.replicas ?? before.replicas,
      isr: data.isr ?? before.isr,
      removingReplicas: data.removingReplicas ?? before.removingReplicas,
      addingReplicas: data.addingReplicas ?? before.addingReplicas,
      leader: leads ? data.leader : before.leader,
      leaderRecoveryState: data.leaderRecoveryState === -1 ? before.leaderRecoveryState : data.leaderRecoveryState,
      leaderEpoch: before.leaderEpoch + (leads ? 1 : 0),
      partitionEpoch: before.partitionEpoch + 1,
      directories: data.directories ?? before.directories,
      eligibleLeaderReplicas: data.eligibleLeaderReplicas ?? before.eligibleLeaderReplicas,
      lastKnownElr: data.lastKnownElr ?? before.lastKnownElr,
    };
  }

  #config({ resourceType, resourceName, name, value }: ValueOf<'ConfigRecord'>): void {
    const key = configKey(resourceType, resourceName);
    let owned = this.#ownedConfigs.get(key);
    if (owned === undefined) {
      owned = new Map(this.#configs.get(key) ?? []);
      this.#ownedConfigs.set(key, owned);
    }
    if (value === null) owned.delete(name);
    else owned.set(name, value);
    if (owned.size === 0) {
      this.#configs.delete(key);
      this.#ownedConfigs.delete(key);
    } else {
      this.#configs.set(key, owned);
    }
  }

  #feature({ name, featureLevel }: ValueOf<'FeatureLevelRecord'>): void {
    this.#features ??= new Map(this.#base.features);
    if (featureLevel === 0) this.#features.delete(name);
    else this.#features.set(name, featureLevel);
  }

  #registerBroker(data: ValueOf<'RegisterBrokerRecord'>): void {
    this.#ownBrokers().set(data.brokerId, {
      id: data.brokerId,
      epoch: data.brokerEpoch,
      incarnationId: data.incarnationId,
      endpoints: data.endPoints.map(({ name, host, port, securityProtocol }) => ({ name, host, port, securityProtocol })),
      rack: data.rack,
      fenced: data.fenced,
      inControlledShutdown: data.inControlledShutdown,
      logDirs: data.logDirs,
      cordonedLogDirs: data.cordonedLogDirs,
      features: data.features.map(({ name, minSupportedVersion, maxSupportedVersion }) => ({ name, minSupportedVersion, maxSupportedVersion })),
    });
  }

  #changeBroker(data: ValueOf<'BrokerRegistrationChangeRecord'>): void {
    const before = this.#broker(data.brokerId);
    this.#ownBrokers().set(data.brokerId, {
      ...before,
      fenced: data.fenced === 0 ? before.fenced : data.fenced === 1,
      inControlledShutdown: data.inControlledShutdown === 0 ? before.inControlledShutdown : data.inControlledShutdown === 1,
      logDirs: data.logDirs.length === 0 ? before.logDirs : data.logDirs,
      cordonedLogDirs: data.cordonedLogDirs ?? before.cordonedLogDirs,
    });
  }

  #fence(id: number, fenced: boolean): void {
    const before = this.#broker(id);
    this.#ownBrokers().set(id, { ...before, fenced });
  }

  #unregisterBroker({ brokerId }: ValueOf<'UnregisterBrokerRecord'>): void {
    this.#broker(brokerId);
    this.#ownBrokers().delete(brokerId);
  }

  #broker(id: number): BrokerImage {
    const broker = (this.#brokers ?? this.#base.brokers).get(id);
    if (broker === undefined) throw new MetadataError(`a change of the unknown broker ${id}`);
    return broker;
  }

  #ownBrokers(): Map<number, BrokerImage> {
    return (this.#brokers ??= new Map(this.#base.brokers));
  }
}

/** The image after these records, which follow it in the log without a gap. */
export function applyRecords(image: MetadataImage, records: readonly AnyMetadataRecord[], epoch = image.epoch): MetadataImage {
  const draft = new Draft(image);
  for (const record of records) draft.apply(record);
  return draft.finish(image.offset + BigInt(records.length), epoch);
}

/** Folds a whole log: records come in batches, and a metadata transaction counts only when it ends. */
export class ImageFolder {
  #draft: Draft;
  #base: MetadataImage;
  #offset: bigint;
  #epoch: number;
  #transaction: AnyMetadataRecord[] | undefined;

  constructor(image: MetadataImage) {
    this.#base = image;
    this.#draft = new Draft(image);
    this.#offset = image.offset;
    this.#epoch = image.epoch;
  }

  get isInTransaction(): boolean {
    return this.#transaction !== undefined;
  }

  /** A record at its offset. Control records only move the offset. */
  add(offset: bigint, epoch: number, record: AnyMetadataRecord | null): void {
    this.#offset = offset;
    this.#epoch = epoch;
    if (record === null) return;
    switch (record.name) {
      case 'BeginTransactionRecord':
        if (this.#transaction !== undefined) throw new MetadataError('a metadata transaction within another');
        this.#transaction = [];
        return;
      case 'EndTransactionRecord':
      case 'AbortTransactionRecord': {
        if (this.#transaction === undefined) throw new MetadataError('the end of a metadata transaction that never began');
        if (record.name === 'EndTransactionRecord') for (const held of this.#transaction) this.#draft.apply(held);
        this.#transaction = undefined;
        return;
      }
      default:
        if (this.#transaction !== undefined) this.#transaction.push(record);
        else this.#draft.apply(record);
    }
  }

  /** The image of everything added. A transaction that is still open is not in it. */
  finish(): MetadataImage {
    const image = this.#draft.finish(this.#offset, this.#epoch);
    for (const topic of image.topics.values()) {
      for (let index = 0; index < topic.partitions.length; index += 1) {
        if (topic.partitions[index] === undefined) {
          throw new MetadataError(`topic '${topic.name}' has a partition ${topic.partitions.length - 1}, but no partition ${index}`);
        }
      }
    }
    this.#base = image;
    this.#draft = new Draft(image);
    return this.#base;
  }
}
