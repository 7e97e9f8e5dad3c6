// Topics: made, deleted, enlarged, asked for, in every version and with everything that can be wrong about them.
import {
  createPartitionsApi, createTopicsApi, deleteTopicsApi, describeTopicPartitionsApi, metadataApi,
} from '../../../src/protocol/index.js';
import { ZERO_UUID } from '../../../src/protocol/uuid.js';
import { type Random } from '../../support/random.js';
import { mostly, some, step, versionOf } from './script.js';
import { type Names, type Step } from './side.js';

const NAMES = ['alpha', 'beta', 'gamma', 'delta.one', 'delta_one', 'UPPER', 'upper', 'a-b', 'x.y_z', 'x_y.z'];
const ODD_NAMES = [
  '', '.', '..', '...', 'with space', 'größe', 'a/b', 'a\0b', 'x'.repeat(249), 'x'.repeat(250), '__consumer_offsets', '__transaction_state',
  '__share_group_state', '__cluster_metadata', '__other', '🙂',
];
const CONFIGS: readonly (readonly [string, string | null])[] = [
  ['retention.ms', '1000'], ['retention.ms', '-1'], ['cleanup.policy', 'compact'], ['cleanup.policy', 'compact,delete'], ['segment.bytes', '1048576'],
  ['max.message.bytes', '2000000'], ['min.insync.replicas', '1'], ['compression.type', 'zstd'], ['message.timestamp.type', 'LogAppendTime'],
];
const ODD_CONFIGS: readonly (readonly [string, string | null])[] = [
  ['retention.ms', 'soon'], ['retention.ms', '-2'], ['retention.ms', null], ['retention.ms', ''], ['cleanup.policy', 'burn'], ['cleanup.policy', ''],
  ['no.such.setting', '1'], ['segment.bytes', '1'], ['segment.bytes', '99999999999'], ['min.insync.replicas', '0'], ['compression.type', 'rar'],
  ['unclean.leader.election.enable', 'perhaps'], ['leader.replication.throttled.replicas', 'x'], ['max.message.bytes', '-1'],
  ['message.timestamp.type', 'Never'], ['min.compaction.lag.ms', '-1'], ['min.cleanable.dirty.ratio', '2.5'],
  ['segment.bytes', ' 2097152 '], ['flush.messages', '1.5'], ['local.retention.ms', '-3'], ['internal.segment.bytes', '100'],
];

const nameOf = (random: Random): string => mostly(random, NAMES, ODD_NAMES);
/** Kafka answers UNKNOWN_SERVER_ERROR where it is asked what one may do with a topic without a name. */
const namedOf = (random: Random): string => nameOf(random) || 'alpha';

const timeoutOf = (random: Random): number => mostly(random, [30_000, 2147483647], [0, -1, -2147483648], 0.1);

function wish(random: Random) {
  const assignments = random.chance(0.2)
    ? some(random, [0, 0, 1, 1, 2, 3], 3, { mayBeNone: true }).map((partitionIndex) => ({ partitionIndex, brokerIds: mostly(random, [[1]], [[], [1, 1], [2], [1, 2], [-1]]) }))
    : [];
  const isByHand = assignments.length > 0 && random.chance(0.8);
  return {
    name: nameOf(random),
    numPartitions: isByHand ? -1 : mostly(random, [1, 2, 3, -1], [0, -2, 10001, 2147483647, -2147483648]),
    replicationFactor: isByHand ? -1 : mostly(random, [1, -1], [0, -2, 2, 3, 32767]),
    assignments,
    configs: random.chance(0.4) ? some(random, random.chance(0.4) ? ODD_CONFIGS : CONFIGS, 3).map(([name, value]) => ({ name, value })) : [],
  };
}

function create(random: Random): Step {
  const topics = Array.from({ length: 1 + random.below(4) }, () => wish(random));
  return step(createTopicsApi, versionOf(random, createTopicsApi), { topics, validateOnly: random.chance(0.2), timeoutMs: timeoutOf(random) });
}

/** By name, by id, by both, by neither. */
function reference(random: Random, names: Names, name: string) {
  const kind = random.below(12);
  if (kind === 0) return { name: null, topicId: ZERO_UUID };
  if (kind === 1) return { name, topicId: names.topicId(name) };
  if (kind < 6) return { name: null, topicId: names.topicId(name) };
  return { name, topicId: ZERO_UUID };
}

/** The same choices for every broker: only the ids differ. */
function references(random: Random, chosen: readonly string[], { mayBeNeither = false } = {}) {
  const kinds = chosen.map(() => (mayBeNeither ? 0 : 1) + random.below(mayBeNeither ? 12 : 11));
  return (names: Names) => chosen.map((name, index) => {
    const fixed = { below: () => kinds[index]! } as unknown as Random;
    return reference(fixed, names, name);
  });
}

function remove(random: Random): Step {
  const version = versionOf(random, deleteTopicsApi);
  // Without its offsets Kafka's coordinator of groups does not come back.
  const chosen = some(random, [0, 1, 2], 3).map(() => nameOf(random)).filter((name) => name !== '__consumer_offsets');
  if (version < 6) return step(deleteTopicsApi, version, { topicNames: chosen, timeoutMs: timeoutOf(random) });
  const topics = references(random, chosen, { mayBeNeither: true });
  const timeoutMs = timeoutOf(random);
  return step(deleteTopicsApi, version, (names) => ({ topics: topics(names), timeoutMs }));
}

function enlarge(random: Random): Step {
  const topics = Array.from({ length: 1 + random.below(3) }, () => ({
    name: nameOf(random),
    count: mostly(random, [2, 3, 4, 5], [0, -1, 1, 10_010, 2147483647]),
    assignments: random.chance(0.75) ? null : some(random, [0], 3, { mayBeNone: true })
      .map(() => ({ brokerIds: mostly(random, [[1]], [[], [1, 1], [7], [1, 2]]) })),
  }));
  return step(createPartitionsApi, versionOf(random, createPartitionsApi), { topics, timeoutMs: timeoutOf(random), validateOnly: random.chance(0.2) });
}

function metadata(random: Random): Step {
  const version = versionOf(random, metadataApi);
  const flags = {
    allowAutoTopicCreation: version < 4 ? true : random.chance(0.25),
    ...(version >= 8 && version <= 10 ? { includeClusterAuthorizedOperations: random.chance(0.4) } : {}),
    ...(version >= 8 ? { includeTopicAuthorizedOperations: random.chance(0.4) } : {}),
  };
  // Kafka answers a topic that it is about to make with an error, and its clients ask again: only the second answer is the same.
  const options = { isRead: true };
  const kind = random.below(10);
  if (kind === 0) return step(metadataApi, version, { ...flags, topics: version === 0 ? [] : null }, options);
  if (kind === 1) return step(metadataApi, version, { ...flags, topics: [] }, options);
  const chosen = some(random, [0], 4).map(() => namedOf(random));
  if (version < 12) return step(metadataApi, version, { ...flags, topics: chosen.map((name) => ({ name })) }, options);
  // Asked for a topic without name and id, Kafka answers UNKNOWN_SERVER_ERROR.
  const topics = references(random, chosen);
  return step(metadataApi, version, (names) => ({ ...flags, topics: topics(names) }), options);
}

function pages(random: Random): Step {
  const topics = random.chance(0.3) ? [] : some(random, [0], 4).map(() => ({ name: namedOf(random) }));
  const cursor = random.chance(0.5) ? null : {
    topicName: topics.length > 0 && random.chance(0.6) ? random.pick(topics).name : namedOf(random), partitionIndex: mostly(random, [0, 1, 2], [-1, 100]),
  };
  const responsePartitionLimit = mostly(random, [1, 2, 3, 2000], [0, -1, 2147483647]);
  return step(describeTopicPartitionsApi, 0, { topics, cursor, responsePartitionLimit }, { isRead: true });
}

export function topicStep(random: Random): Step {
  const act = random.below(100);
  if (act < 30) return create(random);
  if (act < 45) return remove(random);
  if (act < 60) return enlarge(random);
  if (act < 82) return metadata(random);
  return pages(random);
}
