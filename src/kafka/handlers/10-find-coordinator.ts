// FindCoordinator, versions 0-6: which broker coordinates a group. There is one broker, so the answer is this one, as soon
// as the topic of the offsets is there. 1: kinds of coordinator. 4: many keys at once. 6: share groups.
// Transactions are not served, and a client must hear so in a way that ends its attempts: every retriable error, and for
// some clients every unknown one, would have it ask again for ever.
import { errorCode } from '../../protocol/errors.js';
import { findCoordinatorApi } from '../../protocol/messages/10-find-coordinator.js';
import { KafkaError, plainError } from '../../metadata/kafka-error.js';
import { internalTopics } from '../../metadata/topic-names.js';
import { type RequestContext } from '../context.js';
import { defineHandler } from '../registry.js';

const coordinatorTypes = { group: 0, transaction: 1, share: 2 } as const;

export const TRANSACTIONS_NOT_SUPPORTED = 'Transactions are not supported by this broker.';

interface Coordinator {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

const NOBODY: Coordinator = { nodeId: -1, host: '', port: -1 };

async function find(keyType: number, { broker, listener }: RequestContext): Promise<Coordinator> {
  switch (keyType) {
    case coordinatorTypes.group: break;
    case coordinatorTypes.transaction: throw new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED', TRANSACTIONS_NOT_SUPPORTED);
    case coordinatorTypes.share: throw new KafkaError('INVALID_REQUEST', 'Share groups are not supported by this broker.');
    default: throw plainError('INVALID_REQUEST');
  }
  if (!broker.metadata.image.topics.has(internalTopics.offsets)) {
    const [outcome] = await broker.topics.createMissing([internalTopics.offsets]);
    if (outcome !== undefined && 'error' in outcome && outcome.error.code !== errorCode('TOPIC_ALREADY_EXISTS')) {
      broker.log.warn(`the topic ${internalTopics.offsets} cannot be made: ${outcome.error.message}`);
      throw new KafkaError('COORDINATOR_NOT_AVAILABLE');
    }
  }
  const address = broker.advertised[listener];
  if (address === undefined) throw new KafkaError('COORDINATOR_NOT_AVAILABLE');
  return { nodeId: broker.config.nodeId, host: address.host, port: address.port };
}

/** The partition of the offsets topic that the group lives in is there and can be read. */
function isServed(group: string, { broker }: RequestContext): boolean {
  const topic = broker.metadata.image.topics.get(internalTopics.offsets);
  const partition = broker.groups.partitionFor(group);
  return topic !== undefined && partition !== null && !broker.topics.isOffline({ topicId: topic.id, partition });
}

export const findCoordinatorHandler = defineHandler({
  api: findCoordinatorApi,
  async handle(request, ctx) {
    const { apiVersion } = ctx.header;
    if (apiVersion < 4) {
      const coordinator = await find(request.keyType, ctx);
      if (!isServed(request.key, ctx)) throw new KafkaError('COORDINATOR_NOT_AVAILABLE');
      return { errorCode: 0, errorMessage: 'NONE', ...coordinator };
    }
    const keys = request.coordinatorKeys;
    try {
      const coordinator = keys.length === 0 ? NOBODY : await find(request.keyType, ctx);
      const unserved = { ...NOBODY, errorCode: errorCode('COORDINATOR_NOT_AVAILABLE'), errorMessage: null };
      const served = { ...coordinator, errorCode: 0, errorMessage: '' };
      return { coordinators: keys.map((key) => ({ key, ...(isServed(key, ctx) ? served : unserved) })) };
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      const { code, told } = error;
      return { coordinators: keys.map((key) => ({ key, ...NOBODY, errorCode: code, errorMessage: told })) };
    }
  },
  failed(request, { code, message }, { header }) {
    if (header.apiVersion < 4) return { errorCode: code, errorMessage: message, ...NOBODY };
    return {
      coordinators: request.coordinatorKeys.map((key) => ({ key, ...NOBODY, errorCode: code, errorMessage: message })),
    };
  },
});
