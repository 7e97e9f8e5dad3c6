// Transactions.
import { atLeast } from '../range.js';
import { define } from '../setting.js';

export const transactionSettings = [
  define('transaction.max.timeout.ms', 'int', '900000', 'served',
    'The longest timeout that a transactional producer may ask for.', { importance: 'high', range: atLeast(1) }),
  define('transactional.id.expiration.ms', 'int', '604800000', 'ignored',
    'How long an unused transactional id is kept. Sluice serves no transactions yet.',
    { importance: 'high', range: atLeast(1) }),
  define('transaction.state.log.num.partitions', 'int', '50', 'served',
    'Partitions of the topic that holds transactions, which stays empty: Sluice serves none yet.',
    { importance: 'high', range: atLeast(1) }),
  define('transaction.state.log.replication.factor', 'short', '3', 'served',
    'Replicas of the topic that holds transactions. Capped at the number of brokers, which is one.',
    { importance: 'high', range: atLeast(1) }),
  define('transaction.state.log.min.isr', 'int', '2', 'served',
    'Replicas that have to hold a record of a transaction\'s state. Capped at the number of brokers, which is ' +
    'one.', { importance: 'high', range: atLeast(1) }),
  define('transaction.state.log.segment.bytes', 'int', '104857600', 'served',
    'The segment size of the topic that holds transactions.',
    { importance: 'high', range: atLeast(1) }),
  define('transaction.state.log.load.buffer.size', 'int', '5242880', 'ignored',
    'Bytes that Kafka reads at a time when it loads transactions.', { importance: 'high', range: atLeast(1) }),
  define('transaction.abort.timed.out.transaction.cleanup.interval.ms', 'int', '10000', 'ignored',
    'How often Kafka looks for transactions that ran out of time. Sluice serves none yet.',
    { importance: 'low', range: atLeast(1) }),
  define('transaction.remove.expired.transaction.cleanup.interval.ms', 'int', '3600000', 'ignored',
    'How often Kafka looks for unused transactional ids. Sluice serves none yet.',
    { importance: 'low', range: atLeast(1) }),
  define('transaction.partition.verification.enable', 'boolean', 'true', 'ignored',
    'Whether a partition asks the coordinator before it takes the first batch of a transaction. Sluice serves ' +
    'none yet.', { importance: 'low', update: 'cluster-wide' }),
  define('transaction.two.phase.commit.enable', 'boolean', 'false', 'ignored',
    'Whether transactions may be prepared for an outside coordinator. Sluice serves none yet.',
    { importance: 'low' }),
  define('add.partitions.to.txn.retry.backoff.ms', 'int', '20', 'ignored',
    'How soon Kafka asks the coordinator again whether a partition is part of a transaction.',
    { importance: 'high', range: atLeast(1) }),
  define('add.partitions.to.txn.retry.backoff.max.ms', 'int', '100', 'ignored',
    'For how long Kafka asks the coordinator again whether a partition is part of a transaction.',
    { importance: 'high', range: atLeast(0) }),
] as const;
