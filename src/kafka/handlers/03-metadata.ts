// Metadata, versions 0-13: brokers, and topics by name or id; topics that are missing are made where both sides allow it.
// 0: no topics named means all. 1: null means all, none means none. 4: the client may forbid creation. 8-10: authorized
// operations. 10: topic ids. 12: topics may be asked for by id. 13: an error for the request as a whole.
// Kafka answers a topic that it is about to make with an error and lets the client ask again; here the answer waits.
import { errorCode } from '../../protocol/errors.js';
import { metadataApi } from '../../protocol/messages/03-metadata.js';
import { type RequestOf } from '../../protocol/api.js';
import { ZERO_UUID } from '../../protocol/uuid.js';
import { type TopicImage, topicById } from '../../metadata/image.js';
import { KafkaError } from '../../metadata/kafka-error.js';
import { isInternalTopic, topicNameProblem } from '../../metadata/topic-names.js';
import { allClusterOperations, allTopicOperations, operationsNotAsked } from '../no-authorizer.js';
import { missingTopic, viewPartition } from '../partitions.js';
import { defineHandler } from '../registry.js';
import { type BrokerServices } from '../services.js';

type Request = RequestOf<typeof metadataApi>;

function viewTopic(topic: TopicImage, broker: BrokerServices) {
  return {
    errorCode: 0,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternalTopic(topic.name),
    partitions: topic.partitions.map((partition) => viewPartition(topic, partition, broker)),
  };
}

type TopicView = Omit<ReturnType<typeof viewTopic>, 'name'> & { readonly name: string | null };

function checkRequest(request: Request, version: number): void {
  for (const { name, topicId } of request.topics ?? []) {
    if (name === null && (version < 12 || topicId === ZERO_UUID)) {
      throw new KafkaError('INVALID_REQUEST', `Topic name can not be null for version ${version}`);
    }
    if (version < 12 && topicId !== ZERO_UUID) {
      throw new KafkaError('INVALID_REQUEST', `Topic IDs are not supported in requests for version ${version}`);
    }
  }
}

function byIds(ids: ReadonlySet<string>, broker: BrokerServices): TopicView[] {
  return [...ids].map((id) => {
    const topic = topicById(broker.metadata.image, id);
    if (topic !== undefined) return viewTopic(topic, broker);
    return { errorCode: errorCode('UNKNOWN_TOPIC_ID'), name: null, topicId: id, isInternal: false, partitions: [] };
  });
}

/** What cannot be made is not there: a client is told no more than that, as Kafka does not wait for what becomes of it. */
async function createMissing(names: readonly string[], broker: BrokerServices): Promise<void> {
  const creatable = names.filter((name) => topicNameProblem(name) === null);
  if (creatable.length === 0) return;
  try {
    await broker.topics.createMissing(creatable);
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
  }
}

async function byNames(names: ReadonlySet<string>, mayCreate: boolean, broker: BrokerServices): Promise<TopicView[]> {
  const missing = [...names].filter((name) => !broker.metadata.image.topics.has(name));
  if (mayCreate) await createMissing(missing, broker);
  return [...names].map((name) => {
    const topic = broker.metadata.image.topics.get(name);
    return topic === undefined ? missingTopic(name) : viewTopic(topic, broker);
  });
}

async function findTopics(request: Request, version: number, broker: BrokerServices): Promise<TopicView[]> {
  const { topics } = request;
  if (topics === null || (version === 0 && topics.length === 0)) {
    return [...broker.metadata.image.topics.values()].map((topic) => viewTopic(topic, broker));
  }
  const ids = new Set(topics.map(({ topicId }) => topicId).filter((id) => id !== ZERO_UUID));
  if (ids.size > 0) return byIds(ids, broker);
  const names = new Set(topics.flatMap(({ name }) => (name === null ? [] : [name])));
  return byNames(names, request.allowAutoTopicCreation && broker.config.autoCreateTopics, broker);
}

export const metadataHandler = defineHandler({
  api: metadataApi,
  async handle(request, { header, listener, broker }) {
    const { apiVersion } = header;
    checkRequest(request, apiVersion);
    const topics = await findTopics(request, apiVersion, broker);
    const { nodeId, rack } = broker.config;
    const address = broker.advertised[listener];
    const { includeTopicAuthorizedOperations, includeClusterAuthorizedOperations } = request;
    return {
      brokers: address === undefined ? [] : [{ nodeId, host: address.host, port: address.port, rack }],
      clusterId: broker.clusterId,
      controllerId: nodeId,
      topics: topics.map((topic) => ({
        ...topic,
        topicAuthorizedOperations: includeTopicAuthorizedOperations && topic.name !== null ? allTopicOperations : operationsNotAsked,
      })),
      clusterAuthorizedOperations: includeClusterAuthorizedOperations ? allClusterOperations : operationsNotAsked,
    };
  },
  failed(request, { code }) {
    return {
      topics: (request.topics ?? []).map(({ name, topicId }) => ({
        errorCode: code, name: name ?? '', topicId, isInternal: false, partitions: [],
      })),
      errorCode: code,
    };
  },
});
