// Offsets: committed, fetched, deleted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CommitRequest } from '../../../src/coordinator/requests.js';
import { GROUP, WALL_START, World, subscription } from './support/world.js';

const ID = 'AAAAAAAAAAAAAAAAAAAAAQ';
const OTHER_ID = 'AAAAAAAAAAAAAAAAAAAAAg';

test('who assigns partitions by itself commits to a group that need not exist', () => {
  const world = new World();
  const call = world.commit({ 't-0': 5, 'u-3': 7 });
  assert.deepEqual(call.response.topics.map(({ name, partitions }) => [name, partitions]), [
    ['t', [{ partitionIndex: 0, errorCode: 0 }]], ['u', [{ partitionIndex: 3, errorCode: 0 }]],
  ]);
  assert.equal(world.state, 'Empty');
  assert.equal(world.shard.get(GROUP)!.protocolType, null);
  assert.deepEqual(world.offsets(null), { 't-0': 5, 'u-3': 7 });
});

test('a commit is answered when it is durable, and is seen only then', () => {
  const world = new World();
  world.commit({ 't-0': 1 });
  world.isLogHeld = true;
  const call = world.commit({ 't-0': 2 });
  assert.equal(call.isAnswered, false);
  assert.deepEqual(world.offsets(['t-0']), { 't-0': 1 });
  world.settle();
  assert.equal(call.error, 'NONE');
  assert.deepEqual(world.offsets(['t-0']), { 't-0': 2 });
});

test('who asks for what is stable waits for what is being written', () => {
  const world = new World();
  world.commit({ 't-0': 1 });
  world.isLogHeld = true;
  world.commit({ 't-0': 2 });
  const stable = world.fetch(['t-0'], { requireStable: true });
  assert.equal(stable.isAnswered, false);
  world.settle();
  assert.equal(stable.response.topics[0]!.partitions[0]!.committedOffset, 2n);
});

test('commits that overtake each other in memory end as the log has them', () => {
  const world = new World();
  world.isLogHeld = true;
  const first = world.commit({ 't-0': 1 });
  const second = world.commit({ 't-0': 2 });
  world.settle();
  assert.deepEqual(world.offsets(['t-0']), { 't-0': 1 });
  world.settle(15);
  assert.equal(first.error, 'NONE');
  assert.equal(second.error, 'COORDINATOR_NOT_AVAILABLE');
  assert.deepEqual(world.offsets(['t-0']), { 't-0': 1 }, 'what failed is not seen');
  world.restart();
  assert.deepEqual(world.offsets(['t-0']), { 't-0': 1 });
});

test('a first commit that fails leaves nothing behind', () => {
  const world = new World();
  world.failures.push(-1);
  assert.equal(world.commit({ 't-0': 1 }).error, 'UNKNOWN_SERVER_ERROR');
  assert.deepEqual(world.shard.counts, { groups: 0, timers: 0, writes: 0, offsets: 0 });
});

test('members commit under their generation', () => {
  const world = new World();
  const [a] = world.stableGroup(2);
  assert.equal(world.commit({ 't-0': 1 }, a).error, 'NONE');
  assert.equal(world.commit({ 't-0': 1 }, { ...a!, generationId: 0 }).error, 'ILLEGAL_GENERATION');
  assert.equal(world.commit({ 't-0': 1 }, { ...a!, generationId: 2 }).error, 'ILLEGAL_GENERATION');
  assert.equal(world.commit({ 't-0': 1 }, { ...a!, generationId: -1 }).error, 'ILLEGAL_GENERATION');
  assert.equal(world.commit({ 't-0': 1 }, { ...a!, memberId: 'x' }).error, 'UNKNOWN_MEMBER_ID');
  assert.equal(world.commit({ 't-0': 1 }).error, 'UNKNOWN_MEMBER_ID', 'others only when nobody is there');
});

test('an unknown group with a generation: not found, or in versions before 9 an illegal generation', () => {
  const world = new World();
  const member: Partial<CommitRequest> = { memberId: 'x', generationId: 3 };
  assert.equal(world.commit({ 't-0': 1 }, { ...member, version: 9 }).error, 'GROUP_ID_NOT_FOUND');
  assert.equal(world.commit({ 't-0': 1 }, { ...member, version: 8 }).error, 'ILLEGAL_GENERATION');
});

test('during a rebalance members may commit, and are kept by it, until assignments are awaited', () => {
  const world = new World();
  const [a, b] = world.stableGroup(2);
  const parked = world.join({ memberId: a!.memberId });
  for (let beat = 0; beat < 4; beat++) {
    world.advance(9000);
    assert.equal(world.commit({ 't-0': beat }, b).error, 'NONE');
  }
  world.join({ memberId: b!.memberId });
  assert.equal(parked.response.generationId, 2);
  const next = { memberId: b!.memberId, generationId: 2 };
  assert.equal(world.commit({ 't-0': 9 }, next).error, 'REBALANCE_IN_PROGRESS');
});

test('commits keep a member of a stable group', () => {
  const world = new World();
  const [a] = world.stableGroup(1);
  for (let beat = 0; beat < 4; beat++) {
    world.advance(9000);
    assert.equal(world.commit({ 't-0': beat }, a).error, 'NONE');
  }
});

test('a group that has become empty may be set by an administrator', () => {
  const world = new World();
  const [a] = world.stableGroup(1);
  world.leave({ memberId: a!.memberId });
  assert.equal(world.commit({ 't-0': 100 }).error, 'NONE');
  assert.equal(world.commit({ 't-0': 1 }, a).error, 'UNKNOWN_MEMBER_ID');
});

test('metadata comes back as it was, and is refused where it is too long', () => {
  const world = new World({ offsetMetadataMaxBytes: 10 });
  assert.equal(world.commit({ 't-0': 1 }, { metadata: 'ten chars!' }).error, 'NONE');
  const { response } = world.commit({ 't-0': 2 }, { metadata: 'eleven chars' });
  assert.deepEqual(response.topics[0]!.partitions, [{ partitionIndex: 0, errorCode: 12 }]);
  const { partitions } = world.fetch(['t-0']).response.topics[0]!;
  assert.deepEqual(partitions, [
    { partitionIndex: 0, committedOffset: 1n, committedLeaderEpoch: -1, metadata: 'ten chars!', errorCode: 0 },
  ]);
});

test('if nothing of a commit can be kept, no group is made', () => {
  const world = new World({ offsetMetadataMaxBytes: 1 });
  world.commit({ 't-0': 1 }, { metadata: 'long' });
  assert.equal(world.shard.counts.groups, 0);
});

test('what is not there is -1 with empty text, whether the group is there or not', () => {
  const world = new World();
  const nothing = [{ partitionIndex: 0, committedOffset: -1n, committedLeaderEpoch: -1, metadata: '', errorCode: 0 }];
  assert.deepEqual(world.fetch(['t-0']).response.topics[0]!.partitions, nothing);
  assert.deepEqual(world.fetch(null).response, { errorCode: 0, topics: [] });
  world.stableGroup(1);
  assert.deepEqual(world.fetch(['t-0']).response.topics[0]!.partitions, nothing);
});

test('offsets of a former topic of the same name are none of the present one', () => {
  const world = new World();
  world.commit({ 't-0': 7 }, { topicId: ID });
  assert.deepEqual(world.offsets(['t-0'], { topicId: ID }), { 't-0': 7 });
  assert.deepEqual(world.offsets(['t-0'], { topicId: OTHER_ID }), { 't-0': -1 });
  assert.deepEqual(world.offsets(['t-0']), { 't-0': 7 }, 'who asks by name gets it');
});

test('the record of an offset, without and with a retention of its own', () => {
  const world = new World();
  world.commit({ 't-1': 7 }, { topicId: ID, metadata: 'm' });
  world.commit({ 't-1': 8 }, { topicId: ID, retentionTimeMs: 5000n, version: 4 });
  const [plain, old] = world.records;
  assert.ok(plain?.kind === 'offsetCommit' && old?.kind === 'offsetCommit');
  assert.deepEqual(plain.key, { group: GROUP, topic: 't', partition: 1 });
  assert.equal(plain.valueVersion, 4);
  assert.deepEqual({ ...plain.value, unknownTags: undefined }, {
    offset: 7n, leaderEpoch: -1, metadata: 'm', commitTimestamp: BigInt(WALL_START), expireTimestamp: -1n, topicId: ID,
    unknownTags: undefined,
  });
  assert.equal(old.valueVersion, 1);
  assert.equal(old.value?.expireTimestamp, BigInt(WALL_START + 5000));
});

test('offsets can be deleted of topics that nobody in the group reads', () => {
  const world = new World();
  const [a] = world.stableGroup(2, { protocols: [['range', subscription('t')]] });
  world.commit({ 't-0': 1, 'u-0': 2, 'u-1': 3 }, a);
  const { response } = world.deleteOffsets('t-0', 'u-0', 'u-9');
  assert.deepEqual(response.topics.map(({ partitions }) => partitions[0]), [
    { partitionIndex: 0, errorCode: 86 }, { partitionIndex: 0, errorCode: 0 }, { partitionIndex: 9, errorCode: 0 },
  ]);
  assert.deepEqual(world.offsets(null), { 't-0': 1, 'u-1': 3 });
  assert.equal(world.records.filter(({ kind }) => kind === 'offsetCommit').length, 4, 'one tombstone');
});

test('a group of consumers that does not speak as consumers do is taken to read everything', () => {
  const world = new World();
  const [a] = world.stableGroup(1, { protocols: [['range', Buffer.from([0])]] });
  world.commit({ 't-0': 1 }, a);
  assert.deepEqual(world.deleteOffsets('t-0').response.topics[0]!.partitions, [{ partitionIndex: 0, errorCode: 86 }]);
});

test('a later version of the subscription is understood as far as it is known', () => {
  const world = new World();
  const later = Buffer.concat([subscription('t'), Buffer.from('from the future')]);
  later.writeInt16BE(99, 0);
  const [a] = world.stableGroup(1, { protocols: [['range', later]] });
  world.commit({ 't-0': 1, 'u-0': 1 }, a);
  const { topics } = world.deleteOffsets('t-0', 'u-0').response;
  assert.deepEqual(topics.map(({ partitions }) => partitions[0]!.errorCode), [86, 0]);
});

test('offsets of other kinds of groups can be deleted only when nobody is there', () => {
  const world = new World();
  const protocols: [string, Buffer][] = [['sessioned', Buffer.from('x')]];
  const [a] = world.stableGroup(1, { protocolType: 'connect', protocols });
  world.commit({ 't-0': 1 }, a);
  assert.equal(world.deleteOffsets('t-0').error, 'NON_EMPTY_GROUP');
  world.leave({ memberId: a!.memberId });
  assert.equal(world.deleteOffsets('t-0').error, 'NONE');
  assert.deepEqual(world.offsets(null), {});
});

test('who cannot delete offsets', () => {
  const world = new World();
  assert.equal(world.deleteOffsets('t-0').error, 'GROUP_ID_NOT_FOUND');
  assert.equal(world.ask('deleteOffsets', { groupId: '', topics: [] }).error, 'INVALID_GROUP_ID');
  world.commit({ 't-0': 1 });
  world.failures.push(16);
  assert.equal(world.deleteOffsets('t-0').error, 'NOT_COORDINATOR');
  assert.deepEqual(world.offsets(['t-0']), { 't-0': 1 });
});

test('offsets of a deleted topic go, also those that do not say of which topic they are', () => {
  const world = new World();
  world.commit({ 't-0': 1 }, { topicId: ID });
  world.commit({ 't-1': 2 });
  world.commit({ 't-2': 3 }, { topicId: OTHER_ID });
  world.commit({ 'u-0': 4 });
  world.handle({ kind: 'topicsDeleted', topics: [{ id: ID, name: 't' }], isCertain: true });
  assert.deepEqual(world.offsets(null), { 't-2': 3, 'u-0': 4 });
  world.restart();
  assert.deepEqual(world.offsets(null), { 't-2': 3, 'u-0': 4 });
});

test('when it is not certain that the name was deleted, only offsets that say so go', () => {
  const world = new World();
  world.commit({ 't-0': 1 }, { topicId: ID });
  world.commit({ 't-1': 2 });
  assert.deepEqual([...world.shard.topicsOfOffsets()], [[ID, 't']]);
  world.handle({ kind: 'topicsDeleted', topics: [{ id: ID, name: 't' }], isCertain: false });
  assert.deepEqual(world.offsets(null), { 't-1': 2 });
});

test('a group whose first record could not be written is there all the same when offsets are', () => {
  const world = new World();
  world.isLogHeld = true;
  world.join();
  const call = world.commit({ 't-0': 1 });
  world.settle(15);
  assert.equal(world.shard.seen(GROUP), undefined);
  world.settle();
  assert.equal(call.error, 'NONE');
  assert.ok(world.shard.seen(GROUP));
  assert.deepEqual(world.offsets(null), { 't-0': 1 });
});

test('a commit that cannot be written as a record leaves nothing behind', () => {
  const world = new World();
  world.commit({ 't-0': 1 });
  assert.throws(() => world.commit({ [`${'x'.repeat(40_000)}-0`]: 1 }), /long|length|bytes/i);
  assert.equal(world.shard.counts.writes, 0);
  assert.equal(world.shard.counts.offsets, 1);
});
