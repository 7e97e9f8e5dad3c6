// DescribeTopicPartitions, version 0: topics with their partitions in pages. Topics come sorted by name; where a page
// ends within or after a topic, a cursor says where the next one begins.
import { describeTopicPartitionsApi } from '../../protocol/messages/75-describe-topic-partitions.js';
import { type RequestOf } from '../../protocol/api.js';
import { KafkaError } from '../../metadata/kafka-error.js';
import { isInternalTopic } from '../../metadata/topic-names.js';
import { allTopicOperations } from '../no-authorizer.js';
import { missingTopic, viewPartition } from '../partitions.js';
import { defineHandler } from '../registry.js';
import { type BrokerServices } from '../services.js';

type Request = RequestOf<typeof describeTopicPartitionsApi>;

function namesFrom(request: Request, broker: BrokerServices): string[] {
  const { cursor } = request;
  const all = request.topics.length === 0;
  const names = all ? [...broker.metadata.image.topics.keys()] : [...new Set(request.topics.map(({ name }) => name))];
  if (cursor !== null && cursor.partitionIndex < 0) {
    throw new KafkaError('INVALID_REQUEST', `DescribeTopicPartitionsRequest cursor partition must be valid: ${cursor.partitionIndex}`);
  }
  if (cursor !== null && !all && !names.includes(cursor.topicName)) {
    throw new KafkaError(
      'INVALID_REQUEST',
      `DescribeTopicPartitionsRequest topic list should contain the cursor topic: ${cursor.topicName}`,
    );
  }
  return (cursor === null ? names : names.filter((name) => name >= cursor.topicName)).sort();
}

function viewTopic(name: string, from: number, limit: number, broker: BrokerServices) {
  const topic = broker.metadata.image.topics.get(name);
  if (topic === undefined) return undefined;
  return {
    errorCode: 0,
    name,
    topicId: topic.id,
    isInternal: isInternalTopic(name),
    partitions: topic.partitions.slice(from, from + limit).map((partition) => ({
      ...viewPartition(topic, partition, broker),
      eligibleLeaderReplicas: partition.eligibleLeaderReplicas,
      lastKnownElr: partition.lastKnownElr,
    })),
    topicAuthorizedOperations: allTopicOperations,
    next: from + limit < topic.partitions.length ? from + limit : undefined,
  };
}

export const describeTopicPartitionsHandler = defineHandler({
  api: describeTopicPartitionsApi,
  handle(request, { broker }) {
    const { cursor } = request;
    let remaining = Math.max(1, Math.min(broker.config.maxPartitionsPerDescribe, request.responsePartitionLimit));
    const topics = [];
    for (const name of namesFrom(request, broker)) {
      if (remaining === 0) return { topics, nextCursor: { topicName: name, partitionIndex: 0 } };
      const from = cursor !== null && cursor.topicName === name ? cursor.partitionIndex : 0;
      const view = viewTopic(name, from, remaining, broker);
      if (view === undefined) {
        // A topic that was there when its cursor was given out may be gone.
        if (request.topics.length > 0) topics.push({ ...missingTopic(name), topicAuthorizedOperations: allTopicOperations });
        continue;
      }
      const { next, ...topic } = view;
      topics.push(topic);
      if (next !== undefined) return { topics, nextCursor: { topicName: name, partitionIndex: next } };
      remaining -= topic.partitions.length;
    }
    return { topics };
  },
  failed(request, { code }) {
    return { topics: request.topics.map(({ name }) => ({ errorCode: code, name })) };
  },
});
