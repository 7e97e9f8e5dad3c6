// The shell: which partition answers, loading, and what happens when things fail.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError } from '../../../src/metadata/kafka-error.js';
import { errorName } from '../../../src/protocol/errors.js';
import { type Caller, GroupCoordinator } from '../../../src/coordinator/coordinator.js';
import { partitionOf } from '../../../src/coordinator/partition-of.js';
import { type OffsetsLog, type RecordBytes, type StoredRecord } from '../../../src/coordinator/ports.js';
import { type JoinRequest } from '../../../src/coordinator/requests.js';
import { encodeGroupKey, encodeGroupValue } from '../../../src/protocol/records/group/index.js';
import { ZERO_UUID } from '../../../src/protocol/uuid.js';
import { WALL_START, defaultConfig, subscription } from './support/world.js';

const PARTITIONS = 4;
const ID = 'AAAAAAAAAAAAAAAAAAAAAQ';

class MemoryLog implements OffsetsLog {
  partitionCount = PARTITIONS;
  readonly partitions: StoredRecord[][] = Array.from({ length: PARTITIONS }, () => []);
  failure: unknown = null;
  /** While set, reading waits for it. */
  gate: Promise<void> | null = null;
  writeGate: Promise<void> | null = null;
  readonly reading = new Set<number>();
  mostAtOnce = 0;

  async append(partition: number, records: readonly RecordBytes[]): Promise<void> {
    if (this.failure !== null) throw this.failure;
    await this.writeGate;
    this.partitions[partition]!.push(...records.map((record) => ({ ...record, timestampMs: 0 })));
  }

  async *read(partition: number): AsyncGenerator<readonly StoredRecord[]> {
    this.reading.add(partition);
    this.mostAtOnce = Math.max(this.mostAtOnce, this.reading.size);
    await this.gate;
    if (this.failure !== null) throw this.failure;
    for (const record of [...this.partitions[partition]!]) yield [record];
    this.reading.delete(partition);
  }
}

function setUp() {
  const log = new MemoryLog();
  const config = { ...defaultConfig(), initialRebalanceDelayMs: 0 };
  const time = { wallMs: WALL_START, monotonicMs: 1000 };
  const messages: string[] = [];
  const deadlines: number[] = [];
  const note = (message: string) => void messages.push(message);
  let ids = 0;
  const coordinator = new GroupCoordinator({
    config,
    offsetsLog: log,
    topics: {
      topicId: (name) => (name === 't' ? ID : null),
      topicName: (id) => (id === ID ? 't' : null),
      partitionCount: () => 3,
    },
    clock: { wallMs: () => time.wallMs, monotonicMs: () => time.monotonicMs },
    log: { info() {}, warn: note, error: note },
    uuid: () => `id${++ids}`,
    onDeadline: (deadlineMs) => void deadlines.push(deadlineMs),
  });
  const pass = (ms: number) => {
    time.wallMs += ms;
    time.monotonicMs += ms;
    coordinator.advanceTo(time.monotonicMs);
  };
  const caller = (options: Partial<Caller> = {}): Caller => ({ clientId: 'c', clientHost: '/h', apiVersion: 6, ...options });
  return { coordinator, log, config, time, messages, deadlines, pass, caller };
}

const all = [0, 1, 2, 3];

function join(groupId: string, memberId = ''): JoinRequest {
  return {
    groupId, memberId, groupInstanceId: null, sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 60_000, protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscription('t') }], reason: null,
  };
}

function commit(groupId: string, topicId = ID) {
  const partitions = [{ partitionIndex: 0, committedOffset: 5n, committedLeaderEpoch: -1, committedMetadata: null }];
  return {
    groupId, generationId: -1, memberId: '', groupInstanceId: null, retentionTimeMs: -1n,
    topics: [{ name: 't', topicId, partitions }],
  };
}

function fetch(groupId: string) {
  return { groupId, topics: null, requireStable: false };
}

const say = ({ errorCode }: { readonly errorCode: number }) => errorName(errorCode);

test('a group is kept in its partition, and is there again in another coordinator', async () => {
  const first = setUp();
  await first.coordinator.loadAll(all);
  for (let group = 0; group < 20; group++) assert.equal(say(await first.coordinator.commitOffsets(commit(`g${group}`), first.caller())), 'NONE');
  for (const [index, records] of first.log.partitions.entries()) {
    const expected = Array.from({ length: 20 }, (_, group) => `g${group}`).filter((id) => partitionOf(id, PARTITIONS) === index);
    assert.equal(records.length, expected.length);
  }
  const second = setUp();
  second.log.partitions.splice(0, PARTITIONS, ...first.log.partitions);
  await second.coordinator.loadAll(all);
  assert.equal(second.coordinator.listGroups({ statesFilter: [], typesFilter: [] }).groups.length, 20);
  assert.equal((await second.coordinator.fetchOffsets(fetch('g7'), second.caller())).topics[0]!.partitions[0]!.committedOffset, 5n);
  assert.equal(second.log.mostAtOnce <= 4, true);
});

test('partitions that are not this broker\'s', async () => {
  const { coordinator, caller } = setUp();
  assert.equal(say(await coordinator.joinGroup(join('g'), caller())), 'NOT_COORDINATOR');
  assert.equal(say(await coordinator.heartbeat({ groupId: 'g', memberId: 'm', generationId: 1, groupInstanceId: null }, caller())), 'NOT_COORDINATOR');
  assert.deepEqual(await coordinator.deleteGroups(['g', 'g'], caller()), [{ groupId: 'g', errorCode: 16 }]);
  assert.deepEqual(coordinator.describeGroups(['g'], caller()).map(({ errorCode, groupState }) => [errorCode, groupState]), [[16, '']]);
  assert.deepEqual(coordinator.listGroups({ statesFilter: [], typesFilter: [] }), { errorCode: 0, groups: [] });
});

test('without a topic for offsets nobody coordinates', async () => {
  const { coordinator, log, caller } = setUp();
  log.partitionCount = 0;
  assert.equal(coordinator.partitionFor('g'), null);
  assert.equal(say(await coordinator.commitOffsets(commit('g'), caller())), 'NOT_COORDINATOR');
});

test('while a partition is loading, its groups are told to wait, and members not to worry', async () => {
  const { coordinator, log, caller } = setUp();
  let open = () => {};
  log.gate = new Promise((resolve) => (open = resolve));
  const loading = coordinator.loadAll(all);
  for (const groupId of ['g0', 'g1', 'g2', 'g3']) {
    assert.equal(say(await coordinator.joinGroup(join(groupId), caller())), 'COORDINATOR_LOAD_IN_PROGRESS');
    assert.equal(say(await coordinator.commitOffsets(commit(groupId), caller())), 'COORDINATOR_LOAD_IN_PROGRESS');
    assert.equal(say(await coordinator.fetchOffsets(fetch(groupId), caller())), 'COORDINATOR_LOAD_IN_PROGRESS');
    assert.equal(say(await coordinator.leaveGroup({ groupId, members: [] }, caller())), 'COORDINATOR_LOAD_IN_PROGRESS');
    assert.equal(say(await coordinator.heartbeat({ groupId, memberId: 'm', generationId: 1, groupInstanceId: null }, caller())), 'NONE');
    assert.equal(say(coordinator.describeGroups([groupId], caller())[0]!), 'COORDINATOR_LOAD_IN_PROGRESS');
  }
  assert.equal(say(coordinator.listGroups({ statesFilter: [], typesFilter: [] })), 'COORDINATOR_LOAD_IN_PROGRESS');
  open();
  await loading;
  assert.equal(say(await coordinator.joinGroup(join('g0'), caller())), 'MEMBER_ID_REQUIRED');
});

test('a partition that cannot be loaded is nobody\'s, until it can', async () => {
  const { coordinator, log, messages, caller } = setUp();
  log.failure = new KafkaError('KAFKA_STORAGE_ERROR');
  await assert.rejects(coordinator.loadAll([0, 1]), KafkaError);
  assert.match(messages.join('\n'), /partition 0 could not be loaded/);
  assert.equal(say(await coordinator.joinGroup(join('g'), caller())), 'NOT_COORDINATOR');
  log.failure = null;
  await coordinator.loadAll(all);
  assert.equal(say(await coordinator.joinGroup(join('g'), caller())), 'MEMBER_ID_REQUIRED');
});

test('what a failed load had counted is given back', async () => {
  const { coordinator, log } = setUp();
  const key = encodeGroupKey('offsetCommit', { group: 'g', topic: 't', partition: 0 });
  const value = encodeGroupValue('offsetCommit', 3, { offset: 5n, metadata: '', commitTimestamp: 1n });
  log.partitions[0]!.push({ key, value, timestampMs: 0 }, { key, value: Buffer.from([0, 99]), timestampMs: 0 });
  await assert.rejects(coordinator.loadAll([0]));
  assert.deepEqual(coordinator.counts, { groups: 0, timers: 0, writes: 0, offsets: 0, memberBytes: 0, waiting: 0 });
});

test('errors of the log as members hear them', async () => {
  const told = {
    NOT_ENOUGH_REPLICAS: 'COORDINATOR_NOT_AVAILABLE',
    REQUEST_TIMED_OUT: 'COORDINATOR_NOT_AVAILABLE',
    UNKNOWN_TOPIC_OR_PARTITION: 'COORDINATOR_NOT_AVAILABLE',
    NOT_LEADER_OR_FOLLOWER: 'NOT_COORDINATOR',
    KAFKA_STORAGE_ERROR: 'NOT_COORDINATOR',
    MESSAGE_TOO_LARGE: 'UNKNOWN_SERVER_ERROR',
    RECORD_LIST_TOO_LARGE: 'UNKNOWN_SERVER_ERROR',
    INVALID_FETCH_SIZE: 'UNKNOWN_SERVER_ERROR',
    CLUSTER_AUTHORIZATION_FAILED: 'CLUSTER_AUTHORIZATION_FAILED',
  } as const;
  const { coordinator, log, caller } = setUp();
  await coordinator.loadAll(all);
  for (const [error, heard] of Object.entries(told)) {
    log.failure = new KafkaError(error as keyof typeof told);
    assert.equal(say(await coordinator.commitOffsets(commit('g'), caller())), heard);
  }
  log.failure = new TypeError('a bug');
  assert.equal(say(await coordinator.commitOffsets(commit('g'), caller())), 'UNKNOWN_SERVER_ERROR');
  assert.equal(coordinator.counts.groups, 0);
});

test('when it closes everybody who waits is sent away', async () => {
  const { coordinator, caller } = setUp();
  await coordinator.loadAll(all);
  const { memberId } = await coordinator.joinGroup(join('g'), caller());
  const parked = coordinator.joinGroup(join('g', memberId), caller());
  coordinator.close();
  assert.equal(say(await parked), 'NOT_COORDINATOR');
  assert.equal(say(await coordinator.joinGroup(join('g'), caller())), 'COORDINATOR_NOT_AVAILABLE');
  assert.equal(say(coordinator.listGroups({ statesFilter: [], typesFilter: [] })), 'COORDINATOR_NOT_AVAILABLE');
  assert.deepEqual(coordinator.counts, { groups: 0, timers: 0, writes: 0, offsets: 0, memberBytes: 0, waiting: 0 });
});

test('what is being written when a partition goes is still answered', async () => {
  const { coordinator, caller } = setUp();
  await coordinator.loadAll(all);
  const committed = coordinator.commitOffsets(commit('g'), caller());
  coordinator.unload(partitionOf('g', PARTITIONS));
  assert.equal(say(await committed), 'NONE');
});

test('a member whose sign of life could not be handled for longer than its session lasts is kept', async () => {
  const { coordinator, time, pass, caller } = setUp();
  await coordinator.loadAll(all);
  const { memberId } = await coordinator.joinGroup(join('g'), caller());
  const parked = coordinator.joinGroup(join('g', memberId), caller());
  pass(1);
  assert.equal(say(await parked), 'NONE');
  const heartbeat = { groupId: 'g', memberId, generationId: 1, groupInstanceId: null };
  // Nothing could be handled for 25 seconds. The heartbeat came after 3, and no other could come before it was answered.
  time.wallMs += 25_000;
  time.monotonicMs += 25_000;
  assert.equal(say(await coordinator.heartbeat(heartbeat, caller())), 'NONE');
  pass(0);
  pass(9999);
  assert.equal(say(await coordinator.heartbeat(heartbeat, caller())), 'NONE');
  pass(10_000);
  assert.equal(say(await coordinator.heartbeat(heartbeat, caller())), 'UNKNOWN_MEMBER_ID');
});

test('a wall clock that jumps ends no session', async () => {
  const { coordinator, time, pass, caller } = setUp();
  await coordinator.loadAll(all);
  const { memberId } = await coordinator.joinGroup(join('g'), caller());
  const parked = coordinator.joinGroup(join('g', memberId), caller());
  pass(1);
  await parked;
  for (const jumpMs of [3_600_000, -7_200_000]) {
    time.wallMs += jumpMs;
    pass(100);
    assert.equal(say(await coordinator.heartbeat({ groupId: 'g', memberId, generationId: 1, groupInstanceId: null }, caller())), 'NONE');
  }
});

test('the deadline that is told is the earliest one', async () => {
  const { coordinator, deadlines, time, caller } = setUp();
  await coordinator.loadAll(all);
  assert.equal(coordinator.nextDeadlineMs, null);
  await coordinator.joinGroup(join('g0'), caller());
  await coordinator.joinGroup({ ...join('g1'), sessionTimeoutMs: 6000 }, caller());
  assert.equal(coordinator.nextDeadlineMs, time.monotonicMs + 6000);
  assert.equal(Math.min(...deadlines), time.monotonicMs + 6000);
});

test('groups as administrators see them', async () => {
  const { coordinator, pass, caller } = setUp();
  await coordinator.loadAll(all);
  await coordinator.commitOffsets(commit('simple'), caller());
  const { memberId } = await coordinator.joinGroup(join('g'), caller());
  const parked = coordinator.joinGroup(join('g', memberId), caller());
  const described = () => coordinator.describeGroups(['g'], caller())[0]!;
  assert.equal(described().groupState, 'PreparingRebalance');
  assert.equal(described().members[0]!.memberMetadata.length, 0, 'nothing is settled yet');
  pass(1);
  await parked;
  const sync = {
    groupId: 'g', memberId, generationId: 1, groupInstanceId: null, protocolType: null, protocolName: null,
    assignments: [{ memberId, assignment: Buffer.from('A') }],
  };
  await coordinator.syncGroup(sync, caller());
  assert.deepEqual(described(), {
    errorCode: 0, errorMessage: null, groupId: 'g', groupState: 'Stable', protocolType: 'consumer', protocolData: 'range',
    members: [{
      memberId, groupInstanceId: null, clientId: 'c', clientHost: '/h', memberMetadata: subscription('t'), memberAssignment: Buffer.from('A'),
    }],
  });
  const unknown = { protocolType: '', protocolData: '', members: [] };
  assert.deepEqual(coordinator.describeGroups(['none'], caller({ apiVersion: 6 })), [
    { errorCode: 69, errorMessage: 'Group none not found.', groupId: 'none', groupState: 'Dead', ...unknown },
  ]);
  assert.deepEqual(coordinator.describeGroups(['none'], caller({ apiVersion: 5 })), [
    { errorCode: 0, errorMessage: null, groupId: 'none', groupState: 'Dead', ...unknown },
  ]);
  const list = (statesFilter: string[], typesFilter: string[]) =>
    coordinator.listGroups({ statesFilter, typesFilter }).groups.map(({ groupId, groupState, protocolType }) => `${groupId} ${groupState} ${protocolType}`).sort();
  assert.deepEqual(list([], []), ['g Stable consumer', 'simple Empty ']);
  assert.deepEqual(list(['stable'], []), ['g Stable consumer']);
  assert.deepEqual(list([' Empty ', 'Dead'], ['CLASSIC']), ['simple Empty ']);
  assert.deepEqual(list(['no such state'], []), []);
  assert.deepEqual(list([], ['consumer']), []);
  assert.deepEqual(list([], ['no such type']), []);
  assert.deepEqual(list([], ['consumer', 'classic']).length, 2);
});

test('offsets of topics that were deleted just before a crash are forgotten when they are loaded', async () => {
  const first = setUp();
  await first.coordinator.loadAll(all);
  await first.coordinator.commitOffsets(commit('g', 'BBBBBBBBBBBBBBBBBBBBBA'), first.caller());
  await first.coordinator.commitOffsets(commit('h', ID), first.caller());
  await first.coordinator.commitOffsets(commit('i', ZERO_UUID), first.caller());
  const second = setUp();
  second.log.partitions.splice(0, PARTITIONS, ...first.log.partitions);
  await second.coordinator.loadAll(all);
  const topics = async (groupId: string) => (await second.coordinator.fetchOffsets({ ...fetch(groupId), requireStable: true }, second.caller())).topics.length;
  assert.deepEqual([await topics('g'), await topics('h'), await topics('i')], [0, 1, 1]);
});

test('expiry goes through the partitions with pauses between them', async () => {
  const { coordinator, time, caller } = setUp();
  await coordinator.loadAll(all);
  for (let group = 0; group < 10; group++) await coordinator.commitOffsets(commit(`g${group}`), caller());
  time.wallMs += 8 * 24 * 3_600_000;
  let turns = 0;
  await coordinator.expireOffsets(async () => void (turns += 1));
  assert.equal(turns, PARTITIONS);
  while (coordinator.counts.writes > 0) await Promise.resolve();
  assert.deepEqual(coordinator.counts, { groups: 0, timers: 0, writes: 0, offsets: 0, memberBytes: 0, waiting: 0 });
});

test('a bug that one request brings to light is that request\'s alone', async () => {
  const { coordinator, caller, pass } = setUp();
  await coordinator.loadAll(all);
  const { memberId } = await coordinator.joinGroup(join('g'), caller());
  const parked = coordinator.joinGroup(join('g', memberId), caller());
  const broken = { ...join('g'), protocols: null as unknown as JoinRequest['protocols'] };
  await assert.rejects(coordinator.joinGroup(broken, caller()), TypeError);
  pass(1);
  assert.equal(say(await parked), 'NONE');
  assert.equal(coordinator.counts.waiting, 0);
});

test('who asks for what cannot be written in time is told to try again, and what was written counts', async () => {
  const { coordinator, log, config, caller } = setUp();
  await coordinator.loadAll(all);
  config.writeTimeoutMs = 5;
  let goOn = (): void => {};
  log.writeGate = new Promise((resolve) => (goOn = resolve));
  // The coordinator's own timers keep no process alive.
  const alive = setInterval(() => {}, 1000);
  try {
    assert.equal(say(await coordinator.commitOffsets(commit('g'), caller())), 'COORDINATOR_NOT_AVAILABLE');
    // As in Kafka, where this is a write of nothing, and with the one error that all Java consumers understand there.
    assert.equal(say(await coordinator.fetchOffsets({ ...fetch('g'), requireStable: true }, caller())), 'NOT_COORDINATOR');
    assert.equal(say(await coordinator.fetchOffsets(fetch('g'), caller())), 'NONE');
    assert.deepEqual((await coordinator.deleteGroups(['g'], caller())).map(say), ['COORDINATOR_NOT_AVAILABLE']);
  } finally {
    clearInterval(alive);
  }
  goOn();
  log.writeGate = null;
  assert.equal(say(await coordinator.commitOffsets(commit('other'), caller())), 'NONE');
  assert.deepEqual(log.partitions[partitionOf('g', PARTITIONS)]!.map(({ value }) => value !== null), [true, false, false]);
});

test('who waits for others, and not for the log, may wait for long', async () => {
  const { coordinator, config, caller, pass } = setUp();
  config.writeTimeoutMs = 1;
  config.initialRebalanceDelayMs = 3000;
  await coordinator.loadAll(all);
  let isAnswered = false;
  // In this version a new member's first request makes the group, which is written, and then waits for others.
  const joined = coordinator.joinGroup(join('g'), caller({ apiVersion: 3 })).finally(() => (isAnswered = true));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(isAnswered, false);
  pass(3000);
  assert.equal(say(await joined), 'NONE');
});
