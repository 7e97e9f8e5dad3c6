// Groups and their offsets: committed, fetched, deleted, listed and described, by nobody, by strangers and by static members, in every version.
import {
  createTopicsApi, deleteGroupsApi, deleteTopicsApi, describeGroupsApi, findCoordinatorApi, heartbeatApi, joinGroupApi, leaveGroupApi, listGroupsApi, offsetCommitApi,
  offsetDeleteApi, offsetFetchApi, syncGroupApi,
} from '../../../src/protocol/index.js';
import { type Random } from '../../support/random.js';
import { subscription } from '../support/groups.js';
import { mostly, some, step, versionOf } from './script.js';
import { type Names, type Step } from './side.js';

/** A group of either kind has one static member at most, or none, so that nobody waits for anybody. */
const STATIC = ['led', 'fed'];
const SIMPLE = ['plain', 'bare'];
const ODD_GROUPS = ['', 'absent', 'g'.repeat(300), 'größe', ' '];
const TOPICS = ['read', 'other'];
const ODD_TOPICS = ['absent', '', 'wrong name'];
const PARTITIONS = [0, 1];
const ODD_PARTITIONS = [2, -1, 1000];

const groupOf = (random: Random): string => mostly(random, [...STATIC, ...SIMPLE], ODD_GROUPS);
const topicOf = (random: Random): string => mostly(random, TOPICS, ODD_TOPICS);
const labelOf = (groupId: string): string => `member of ${groupId}`;
const instanceOf = (groupId: string): string => `instance of ${groupId}`;

function join(random: Random): Step {
  const groupId = random.pick(STATIC);
  return step(joinGroupApi, versionOf(random, joinGroupApi, 5), {
    groupId, memberId: '', groupInstanceId: instanceOf(groupId), sessionTimeoutMs: 600_000, rebalanceTimeoutMs: 600_000, protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscription(random.pick(['read', 'read', 'other'])) }],
  }, { member: labelOf(groupId) });
}

interface Who {
  readonly memberId: (names: Names) => string;
  readonly groupInstanceId: string | null;
  readonly generation: number;
}

function who(random: Random, groupId: string, hasInstances: boolean): Who {
  const generation = mostly(random, [1, 2, 3], [0, -1, -2, 9]);
  switch (mostly(random, STATIC.includes(groupId) ? ['member'] : ['nobody'], ['member', 'nobody', 'stranger', 'instance'], 0.3)) {
    case 'member': return { memberId: (names) => names.memberId(labelOf(groupId)), groupInstanceId: hasInstances && random.chance(0.7) ? instanceOf(groupId) : null, generation };
    case 'stranger': return { memberId: () => 'stranger', groupInstanceId: hasInstances && random.chance(0.3) ? instanceOf(groupId) : null, generation };
    case 'instance': return { memberId: () => '', groupInstanceId: hasInstances ? random.pick([instanceOf(groupId), 'someone']) : null, generation };
    default: return { memberId: () => '', groupInstanceId: null, generation: random.chance(0.9) ? -1 : generation };
  }
}

function sync(random: Random): Step {
  const groupId = mostly(random, STATIC, [...SIMPLE, ...ODD_GROUPS]);
  const version = versionOf(random, syncGroupApi);
  const by = who(random, groupId, version >= 3);
  const protocol = version >= 5 ? mostly(random, [{ protocolType: 'consumer', protocolName: 'range' }], [{ protocolType: 'connect', protocolName: 'range' }, { protocolType: 'consumer', protocolName: 'none' }, {}]) : {};
  return step(syncGroupApi, version, (names) => ({
    groupId, generationId: by.generation, memberId: by.memberId(names), ...(version >= 3 ? { groupInstanceId: by.groupInstanceId } : {}), ...protocol,
    assignments: [{ memberId: by.memberId(names), assignment: Buffer.from('all of it') }],
  }));
}

function beat(random: Random): Step {
  const groupId = mostly(random, STATIC, [...SIMPLE, ...ODD_GROUPS]);
  const version = versionOf(random, heartbeatApi);
  const by = who(random, groupId, version >= 3);
  return step(heartbeatApi, version, (names) => ({
    groupId, generationId: by.generation, memberId: by.memberId(names), ...(version >= 3 ? { groupInstanceId: by.groupInstanceId } : {}),
  }));
}

function leave(random: Random): Step {
  const groupId = mostly(random, STATIC, [...SIMPLE, ...ODD_GROUPS]);
  const version = versionOf(random, leaveGroupApi);
  const by = who(random, groupId, version >= 3);
  if (version < 3) return step(leaveGroupApi, version, (names) => ({ groupId, memberId: by.memberId(names) }));
  return step(leaveGroupApi, version, (names) => ({ groupId, members: [{ memberId: by.memberId(names), groupInstanceId: by.groupInstanceId }] }));
}

/** A commit of which Kafka writes nothing makes a group that later requests find, but that is not described or listed until something is written of it. */
function withOneKept<P extends { partitionIndex: number; committedMetadata: string | null }>(partitions: P[]): P[] {
  const isKept = ({ partitionIndex, committedMetadata }: P) => PARTITIONS.includes(partitionIndex) && (committedMetadata?.length ?? 0) <= 4096;
  return partitions.some(isKept) ? partitions : partitions.map((partition) => ({ ...partition, committedMetadata: null }));
}

function commit(random: Random): Step {
  const groupId = groupOf(random);
  const version = versionOf(random, offsetCommitApi);
  const by = who(random, groupId, version >= 7);
  const topics = some(random, [0], 3).map(() => ({
    name: topicOf(random),
    partitions: withOneKept(some(random, [0], 2).map(() => ({
      partitionIndex: mostly(random, PARTITIONS, ODD_PARTITIONS), committedOffset: BigInt(mostly(random, [0, 1, 2, 77], [-1, -5, 2 ** 50])),
      ...(version >= 6 ? { committedLeaderEpoch: mostly(random, [-1, 0, 4], [-3]) } : {}),
      committedMetadata: mostly(random, ['', 'note', null], ['m'.repeat(4096), 'm'.repeat(4097), 'ü'.repeat(3000)]),
    }))),
  })).filter((topic, index, all) => all.findIndex(({ name }) => name === topic.name) === index);
  const retention = version <= 4 ? { retentionTimeMs: BigInt(mostly(random, [-1, 1_000_000_000], [5_000_000])) } : {};
  return step(offsetCommitApi, version, (names) => ({
    groupId, generationIdOrMemberEpoch: by.generation, memberId: by.memberId(names), ...(version >= 7 ? { groupInstanceId: by.groupInstanceId } : {}), ...retention,
    topics: topics.map((topic) => (version >= 10 ? { topicId: names.topicId(topic.name), partitions: topic.partitions } : topic)),
  }));
}

function fetch(random: Random): Step {
  const version = versionOf(random, offsetFetchApi);
  const asked = () => some(random, [0], 3, { mayBeNone: random.chance(0.2) }).map(() => ({ name: topicOf(random), partitionIndexes: some(random, [...PARTITIONS, ...ODD_PARTITIONS], 3) }));
  const stable = version >= 7 ? { requireStable: random.chance(0.5) } : {};
  if (version < 8) {
    const topics = version >= 2 && random.chance(0.4) ? null : asked();
    return step(offsetFetchApi, version, { groupId: groupOf(random), topics, ...stable }, { isRead: true });
  }
  const groups = some(random, [0], 3).map(() => ({ groupId: groupOf(random), topics: random.chance(0.4) ? null : asked() }))
    .filter((group, index, all) => all.findIndex(({ groupId }) => groupId === group.groupId) === index);
  const strange = version >= 9 && random.chance(0.1) ? { memberId: 'stranger', memberEpoch: 3 } : {};
  return step(offsetFetchApi, version, (names) => ({
    groups: groups.map(({ groupId, topics }) => ({
      groupId, ...strange,
      topics: topics === null ? null : topics.map(({ name, partitionIndexes }) =>
        (version >= 10 ? { topicId: names.topicId(name), partitionIndexes } : { name, partitionIndexes })),
    })),
    ...stable,
  }), { isRead: true });
}

function forget(random: Random): Step {
  const topics = some(random, [0], 2).map(() => ({ name: topicOf(random), partitions: some(random, [...PARTITIONS, ...ODD_PARTITIONS], 2).map((partitionIndex) => ({ partitionIndex })) }))
    .filter((topic, index, all) => all.findIndex(({ name }) => name === topic.name) === index);
  return step(offsetDeleteApi, 0, { groupId: groupOf(random), topics });
}

function look(random: Random): Step {
  const kind = random.below(4);
  if (kind === 0) {
    const version = versionOf(random, listGroupsApi);
    const statesFilter = version >= 4 ? some(random, ['Stable', 'Empty', 'stable', 'Dead', 'CompletingRebalance', 'nonsense', ''], 2, { mayBeNone: true }) : [];
    const typesFilter = version >= 5 ? some(random, ['classic', 'Classic', 'consumer', 'share', 'simple'], 2, { mayBeNone: true }) : [];
    return step(listGroupsApi, version, { statesFilter, ...(version >= 5 ? { typesFilter } : {}) }, { isRead: true });
  }
  if (kind === 1) {
    const version = versionOf(random, findCoordinatorApi);
    const keyType = version >= 1 ? mostly(random, [0], [3, 7, -1]) : 0;
    const keys = some(random, [0], 3, { mayBeNone: random.chance(0.1) }).map(() => groupOf(random));
    return step(findCoordinatorApi, version, version >= 4 ? { keyType, coordinatorKeys: keys } : { key: keys[0] ?? 'plain', ...(version >= 1 ? { keyType } : {}) }, { isRead: true });
  }
  const version = versionOf(random, describeGroupsApi);
  const groups = some(random, [0], 3, { mayBeNone: random.chance(0.1) }).map(() => groupOf(random));
  return step(describeGroupsApi, version, { groups, ...(version >= 3 ? { includeAuthorizedOperations: random.chance(0.4) } : {}) }, { isRead: true });
}

function remove(random: Random): Step {
  return step(deleteGroupsApi, versionOf(random, deleteGroupsApi), { groupsNames: some(random, [0], 3).map(() => groupOf(random)) });
}

function topics(random: Random): Step {
  const name = random.pick(TOPICS);
  // Kafka takes the offsets of a deleted topic away in its own time, so those that are read stay.
  if (name !== 'read' && random.chance(0.05)) return step(deleteTopicsApi, 5, { topicNames: ['unread'], timeoutMs: 30_000 });
  return step(createTopicsApi, 7, { topics: [{ name, numPartitions: 2, replicationFactor: 1 }], timeoutMs: 30_000 });
}

export function groupStep(random: Random): Step {
  const act = random.below(100);
  if (act < 5) return topics(random);
  if (act < 14) return join(random);
  if (act < 24) return sync(random);
  if (act < 28) return beat(random);
  if (act < 31) return leave(random);
  if (act < 53) return commit(random);
  if (act < 73) return fetch(random);
  if (act < 79) return forget(random);
  if (act < 95) return look(random);
  return remove(random);
}
