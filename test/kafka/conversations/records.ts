// Records: written, looked for by time and epoch, deleted from the front, in every version.
import {
  buildBatch, createTopicsApi, deleteRecordsApi, deleteTopicsApi, describeLogDirsApi, incrementalAlterConfigsApi, initProducerIdApi, listOffsetsApi,
  offsetForLeaderEpochApi, produceApi,
} from '../../../src/protocol/index.js';
import { type Random } from '../../support/random.js';
import { mostly, some, step, versionOf } from './script.js';
import { type Step } from './side.js';

const TOPICS = ['first', 'second'];
const ODD_TOPICS = ['absent', '', 'wrong name', '__consumer_offsets', '__cluster_metadata'];
const PARTITIONS = [0, 1];
const ODD_PARTITIONS = [2, -1, 99, 2147483647];
const OLDEST = 1_700_000_000_000;

const topicOf = (random: Random): string => mostly(random, TOPICS, ODD_TOPICS);
const partitionOf = (random: Random): number => mostly(random, PARTITIONS, ODD_PARTITIONS);

function produce(random: Random): Step {
  const records = Array.from({ length: 1 + random.below(4) }, () => ({
    key: random.chance(0.5) ? Buffer.from('key') : null, value: Buffer.from('v'.repeat(random.below(20))), timestamp: BigInt(OLDEST + random.below(50)),
  }));
  const batch = buildBatch({ records, timestamp: BigInt(OLDEST) });
  // Version 8 and later also tell of single records.
  return step(produceApi, 3 + random.below(5), {
    acks: -1, timeoutMs: 30_000, topicData: [{ name: random.pick(TOPICS), partitionData: [{ index: random.pick(PARTITIONS), records: batch }] }],
  });
}

function times(random: Random): Step {
  const version = versionOf(random, listOffsetsApi);
  const topics = some(random, [0], 3).map(() => ({
    // What lies in it is each broker's own business.
    name: topicOf(random).replace('__consumer_offsets', 'absent'),
    partitions: some(random, [0], 3).map(() => ({
      partitionIndex: partitionOf(random),
      ...(version >= 4 ? { currentLeaderEpoch: mostly(random, [-1, 0], [1, 7, -2]) } : {}),
      timestamp: BigInt(mostly(random, [-1, -2, OLDEST + random.below(60), OLDEST + random.below(60)], [-3, -4, -5, -6, -7, -100, 0, 1, OLDEST * 2], 0.4)),
    })),
  }));
  // A level that there is not is an UNKNOWN_SERVER_ERROR of Kafka's.
  const isolation = version >= 2 ? { isolationLevel: random.pick([0, 1]) } : {};
  return step(listOffsetsApi, version, { replicaId: -1, ...isolation, topics }, { isRead: true });
}

function epochs(random: Random): Step {
  const version = versionOf(random, offsetForLeaderEpochApi);
  const topics = some(random, TOPICS, 2).filter((topic, index, all) => all.indexOf(topic) === index || random.chance(0.1)).map((topic) => ({
    topic: random.chance(0.15) ? random.pick(ODD_TOPICS).replace('__consumer_offsets', 'absent') : topic,
    partitions: some(random, [0], 3).map(() => ({
      partition: partitionOf(random), currentLeaderEpoch: mostly(random, [-1, 0], [1, -2]), leaderEpoch: mostly(random, [0, 1], [-1, 5, -2, 2147483647]),
    })),
  }));
  return step(offsetForLeaderEpochApi, version, { ...(version >= 3 ? { replicaId: -1 } : {}), topics }, { isRead: true });
}

function cut(random: Random): Step {
  const topics = some(random, [0], 2).map(() => ({
    name: topicOf(random),
    partitions: some(random, [0], 2).map(() => ({ partitionIndex: partitionOf(random), offset: BigInt(mostly(random, [-1, 0, 1, 2, 3, 5, 9], [-2, 1000, 2 ** 40])) })),
  }));
  return step(deleteRecordsApi, versionOf(random, deleteRecordsApi), { topics, timeoutMs: 30_000 });
}

function sizes(random: Random): Step {
  const version = versionOf(random, describeLogDirsApi);
  const topics = random.chance(0.2) ? [] : some(random, [...TOPICS, 'absent'], 3)
    .map((topic) => ({ topic, partitions: some(random, [...PARTITIONS, 9], 3, { mayBeNone: true }) }));
  return step(describeLogDirsApi, version, { topics }, { isRead: true });
}

function setting(random: Random): Step {
  const configs = [{ name: 'cleanup.policy', value: random.pick(['delete', 'compact', 'delete,compact']), configOperation: 0 }];
  return step(incrementalAlterConfigsApi, 1, { resources: [{ resourceType: 2, resourceName: random.pick(TOPICS), configs }] });
}

function producer(random: Random): Step {
  const version = versionOf(random, initProducerIdApi);
  const ids = version < 3 ? {} : mostly<{ producerId?: bigint; producerEpoch?: number }>(random, [{}, {}, { producerId: 5n, producerEpoch: 3 }], [{ producerId: 5n }, { producerEpoch: 1 }, { producerId: 0n, producerEpoch: 32767 }]);
  return step(initProducerIdApi, version, { transactionalId: null, transactionTimeoutMs: mostly(random, [60_000], [0, -1, 2147483647]), ...ids });
}

function topics(random: Random): Step {
  const name = random.pick(TOPICS);
  if (random.chance(0.15)) return step(deleteTopicsApi, 5, { topicNames: [name], timeoutMs: 30_000 });
  // The records are old, and must not go while the conversation goes on.
  const configs = [{ name: 'retention.ms', value: '-1' }];
  return step(createTopicsApi, 4, { topics: [{ name, numPartitions: 2, replicationFactor: 1, configs }], timeoutMs: 30_000 });
}

export function recordStep(random: Random): Step {
  const act = random.below(100);
  if (act < 8) return topics(random);
  if (act < 12) return setting(random);
  if (act < 35) return produce(random);
  if (act < 65) return times(random);
  if (act < 77) return epochs(random);
  if (act < 88) return cut(random);
  if (act < 95) return sizes(random);
  return producer(random);
}
