// Partitions as clients see them.
import { errorCode } from '../protocol/errors.js';
import { ZERO_UUID } from '../protocol/uuid.js';
import { type PartitionImage, type TopicImage } from '../metadata/image.js';
import { KafkaError } from '../metadata/kafka-error.js';
import { isInternalTopic, topicNameProblem } from '../metadata/topic-names.js';
import { type BrokerServices, type TopicIdPartition } from './services.js';

export const NO_LEADER = -1;

export interface PartitionView {
  readonly errorCode: number;
  readonly partitionIndex: number;
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly replicaNodes: readonly number[];
  readonly isrNodes: readonly number[];
  readonly offlineReplicas: readonly number[];
}

export function viewPartition(topic: TopicImage, partition: PartitionImage, broker: BrokerServices): PartitionView {
  const isServed =
    partition.leader === broker.config.nodeId && !broker.topics.isOffline({ topicId: topic.id, partition: partition.index });
  return {
    errorCode: isServed ? 0 : errorCode('LEADER_NOT_AVAILABLE'),
    partitionIndex: partition.index,
    leaderId: isServed ? partition.leader : NO_LEADER,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: partition.replicas,
    isrNodes: partition.isr,
    offlineReplicas: isServed ? [] : partition.replicas,
  };
}

/** A topic that is not there, or whose name no topic can have. */
export function missingTopic(name: string) {
  const code = topicNameProblem(name) === null ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'INVALID_TOPIC_EXCEPTION';
  return { errorCode: errorCode(code), name, topicId: ZERO_UUID, isInternal: isInternalTopic(name), partitions: [] };
}

export interface Led {
  readonly at: TopicIdPartition;
  readonly topic: TopicImage;
  readonly partition: PartitionImage;
}

const NO_EPOCH = -1;

/**
 * The partition of that name if this broker leads it, under the leader epoch that the client knows (-1: it says none).
 * Throws what a client is to be told otherwise.
 */
export function requireLed(broker: BrokerServices, topicName: string, index: number, clientEpoch = NO_EPOCH): Led {
  const topic = broker.metadata.image.topics.get(topicName);
  const partition = topic?.partitions[index];
  if (topic === undefined || partition === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION');
  const at = { topicId: topic.id, partition: index };
  if (broker.topics.isOffline(at)) throw new KafkaError('KAFKA_STORAGE_ERROR');
  if (partition.leader !== broker.config.nodeId) throw new KafkaError('NOT_LEADER_OR_FOLLOWER');
  if (clientEpoch !== NO_EPOCH && clientEpoch < partition.leaderEpoch) throw new KafkaError('FENCED_LEADER_EPOCH');
  if (clientEpoch !== NO_EPOCH && clientEpoch > partition.leaderEpoch) throw new KafkaError('UNKNOWN_LEADER_EPOCH');
  return { at, topic, partition };
}

/** The code of an error that concerns one partition; what is no KafkaError goes on. */
export function codeOf(error: unknown): number {
  if (error instanceof KafkaError) return error.code;
  throw error;
}

interface AskedTopic<P> {
  readonly name: string;
  readonly partitions: readonly P[];
}

/** Each topic once, and each partition of it once: of several questions about it the last one counts. */
export function mergeTopics<P extends { readonly partitionIndex: number }>(topics: readonly AskedTopic<P>[]): AskedTopic<P>[] {
  const merged = new Map<string, Map<number, P>>();
  for (const { name, partitions } of topics) {
    const known = merged.get(name) ?? new Map<number, P>();
    for (const partition of partitions) known.set(partition.partitionIndex, partition);
    merged.set(name, known);
  }
  return [...merged].map(([name, partitions]) => ({ name, partitions: [...partitions.values()] }));
}
