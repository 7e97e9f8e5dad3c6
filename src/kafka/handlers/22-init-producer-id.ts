// InitProducerId, versions 0-5: an id for an idempotent producer. 3: the producer may name the id that it had, which
// without transactions changes nothing: it gets a new one. Transactional ids are refused (see 10-find-coordinator.ts).
// Version 6, two-phase commit, is not yet released by Kafka.
import { initProducerIdApi } from '../../protocol/messages/22-init-producer-id.js';
import { KafkaError } from '../../metadata/kafka-error.js';
import { defineHandler } from '../registry.js';
import { TRANSACTIONS_NOT_SUPPORTED } from './10-find-coordinator.js';

const NO_PRODUCER_ID = -1n;
const NO_PRODUCER_EPOCH = -1;

export const initProducerIdHandler = defineHandler({
  api: initProducerIdApi,
  async handle(request, { broker }) {
    const { transactionalId, transactionTimeoutMs, producerId, producerEpoch } = request;
    if ((producerId === NO_PRODUCER_ID) !== (producerEpoch === NO_PRODUCER_EPOCH)) throw new KafkaError('INVALID_REQUEST');
    if (transactionalId !== null) {
      if (transactionalId === '') throw new KafkaError('INVALID_REQUEST');
      if (transactionTimeoutMs <= 0 || transactionTimeoutMs > broker.config.maxTransactionTimeoutMs) {
        throw new KafkaError('INVALID_TRANSACTION_TIMEOUT');
      }
      throw new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED', TRANSACTIONS_NOT_SUPPORTED);
    }
    return { errorCode: 0, producerId: await broker.producerIds.next(), producerEpoch: 0 };
  },
  failed(_request, { code }) {
    return { errorCode: code, producerId: NO_PRODUCER_ID, producerEpoch: NO_PRODUCER_EPOCH };
  },
});
