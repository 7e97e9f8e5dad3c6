// CreateTopics, versions 2-7. 4: numPartitions and replicationFactor may be -1, the broker's defaults (taken in every
// version, as Kafka's controller does). 5: the answer holds the topic's size and settings. 7: and its id.
import { createTopicsApi } from '../../protocol/messages/19-create-topics.js';
import { METADATA_TOPIC } from '../../metadata/ids.js';
import { KafkaError } from '../../metadata/kafka-error.js';
import { type CreatedTopic, type Outcome } from '../../metadata/topics.js';
import { withinTimeout } from '../deadline.js';
import { defineHandler } from '../registry.js';
import { type BrokerServices } from '../services.js';

function viewCreated(topic: CreatedTopic, broker: BrokerServices) {
  return {
    name: topic.name,
    topicId: topic.id,
    errorCode: 0,
    errorMessage: null,
    topicConfigErrorCode: 0,
    numPartitions: topic.partitions,
    replicationFactor: topic.replicationFactor,
    configs: [...broker.configs.describeTopic(topic.overrides)]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      // What was asked for is shown as it was written; DescribeConfigs shows what it means.
      .map(({ name, value, readOnly, source, isSensitive }) => ({ name, value: topic.overrides.get(name) ?? value, readOnly, configSource: source, isSensitive })),
  };
}

function viewFailed(name: string, { code, told }: KafkaError) {
  return { name, errorCode: code, errorMessage: told };
}

export const createTopicsHandler = defineHandler({
  api: createTopicsApi,
  async handle(request, { broker }) {
    const counts = new Map<string, number>();
    for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1);
    const unique = request.topics.filter(({ name }) => counts.get(name) === 1);
    const duplicates = [...counts.keys()].filter((name) => counts.get(name)! > 1);
    // Where nothing is to be done no time is needed.
    const outcomes: Outcome<CreatedTopic>[] = unique.every(({ name }) => name === METADATA_TOPIC)
      ? await broker.topics.create(unique, request.validateOnly)
      : await withinTimeout(request.timeoutMs, () => broker.topics.create(unique, request.validateOnly));
    return {
      topics: [
        ...outcomes.map((outcome, index) =>
          'ok' in outcome ? viewCreated(outcome.ok, broker) : viewFailed(unique[index]!.name, outcome.error)),
        ...duplicates.map((name) => viewFailed(name, new KafkaError('INVALID_REQUEST', 'Duplicate topic name.'))),
      ],
    };
  },
  failed(request, { code, message }) {
    return { topics: request.topics.map(({ name }) => ({ name, errorCode: code, errorMessage: message })) };
  },
});
