// What is in the log is there again after a restart.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtocolError } from '../../../src/protocol/error.js';
import { encodeGroupKey, encodeGroupValue } from '../../../src/protocol/records/group/index.js';
import { GROUP, World, subscription } from './support/world.js';

test('a stable group goes on as if nothing had been', () => {
  const world = new World();
  const [a, b] = world.stableGroup(2);
  world.commit({ 't-0': 42 }, { ...a!, metadata: 'm' });
  world.restart();
  assert.equal(world.state, 'Stable');
  assert.equal(world.heartbeat(a!), 'NONE');
  assert.equal(world.sync(b!).response.assignment.toString(), 'part 1');
  assert.deepEqual(world.offsets(null), { 't-0': 42 });
  assert.equal(world.commit({ 't-0': 43 }, b).error, 'NONE');
  assert.deepEqual(world.deleteOffsets('t-0').response.topics[0]!.partitions, [{ partitionIndex: 0, errorCode: 86 }]);
  assert.equal(world.join({ memberId: b!.memberId }).response.leader, a!.memberId);
});

test('sessions begin anew', () => {
  const world = new World();
  const [a] = world.stableGroup(2);
  world.now = { monotonicMs: 50, wallMs: world.now.wallMs + 3_600_000 };
  world.restart();
  assert.equal(world.shard.counts.timers, 2);
  world.advance(9999);
  assert.equal(world.heartbeat(a!), 'NONE');
  world.advance(1);
  assert.equal(world.state, 'PreparingRebalance', 'the other one was not heard of');
});

test('a rebalance that was under way is forgotten: members are called again', () => {
  const world = new World();
  const [a] = world.stableGroup(2);
  world.join({ memberId: a!.memberId });
  world.restart();
  assert.equal(world.state, 'Stable');
  assert.equal(world.join({ memberId: a!.memberId }).isAnswered, false);
  assert.equal(world.state, 'PreparingRebalance');
});

test('an assignment that was not durable is nobody\'s', () => {
  const world = new World();
  const call = world.join({ version: 3 });
  world.advance(3000);
  world.isLogHeld = true;
  world.sync({ memberId: call.response.memberId, generationId: 1 }, { [call.response.memberId]: 'A' });
  world.restart();
  assert.equal(world.state, 'Empty');
  assert.equal(world.heartbeat({ memberId: call.response.memberId, generationId: 1 }), 'UNKNOWN_MEMBER_ID');
});

test('static members are known by their instance ids', () => {
  const world = new World();
  const call = world.join({ groupInstanceId: 'a' });
  world.advance(3000);
  world.sync({ memberId: call.response.memberId, generationId: 1 }, { [call.response.memberId]: 'A' }, { groupInstanceId: 'a' });
  world.restart();
  const back = world.join({ groupInstanceId: 'a' });
  assert.equal(back.response.generationId, 1);
  assert.equal(back.response.skipAssignment, true);
});

test('a group larger than it may be rebalances', () => {
  const world = new World();
  world.stableGroup(3);
  world.config.maxGroupSize = 2;
  world.restart();
  assert.equal(world.state, 'PreparingRebalance');
});

test('memory is counted anew', () => {
  const world = new World();
  world.stableGroup(2);
  const before = { ...world.usage };
  world.restart();
  assert.deepEqual(world.usage, before);
});

test('an offset without a group makes one, and a group without offsets none', () => {
  const world = new World();
  world.log.push({
    key: encodeGroupKey('offsetCommit', { group: GROUP, topic: 't', partition: 0 }),
    value: encodeGroupValue('offsetCommit', 3, { offset: 5n, leaderEpoch: 2, metadata: '', commitTimestamp: 1n }),
  });
  world.restart();
  assert.equal(world.state, 'Empty');
  assert.equal(world.fetch(['t-0']).response.topics[0]!.partitions[0]!.committedLeaderEpoch, 2);
});

test('offsets that a deleted group has left behind get a group, so that they are found and expire', () => {
  const world = new World();
  world.commit({ 't-0': 1 });
  world.log.push({ key: encodeGroupKey('groupMetadata', { group: GROUP }), value: null });
  world.restart();
  assert.equal(world.state, 'Empty');
  assert.deepEqual(world.offsets(null), { 't-0': 1 });
  world.now = { ...world.now, wallMs: world.now.wallMs + 7 * 24 * 3_600_000 };
  world.handle({ kind: 'expire' });
  assert.deepEqual(world.shard.counts, { groups: 0, timers: 0, writes: 0, offsets: 0 });
});

test('records of older versions of Kafka', () => {
  const world = new World();
  world.log.push({
    key: encodeGroupKey('groupMetadata', { group: GROUP }),
    value: encodeGroupValue('groupMetadata', 0, {
      protocolType: 'consumer', generation: 7, protocol: 'range', leader: 'm',
      members: [{ memberId: 'm', clientId: 'c', clientHost: '/h', sessionTimeout: 30_000, subscription: subscription('t'), assignment: Buffer.from('A') }],
    }),
  }, {
    key: encodeGroupKey('legacyOffsetCommit', { group: GROUP, topic: 't', partition: 1 }),
    value: encodeGroupValue('legacyOffsetCommit', 0, { offset: 9n, metadata: '', commitTimestamp: 1n }),
  });
  world.restart();
  const group = world.shard.get(GROUP)!;
  assert.equal(group.members.get('m')!.rebalanceTimeoutMs, 30_000, 'the session timeout, for want of another');
  assert.equal(group.stateSinceMs, null);
  assert.deepEqual(world.offsets(['t-1']), { 't-1': 9 });
});

test('records of other kinds of groups are passed over', () => {
  const world = new World();
  const key = Buffer.alloc(8);
  key.writeInt16BE(3, 0);
  assert.equal(world.shard.replay({ key, value: Buffer.alloc(4), timestampMs: 0 }, 0), false);
});

test('a record that cannot be read is not passed over', () => {
  const world = new World();
  const key = encodeGroupKey('offsetCommit', { group: GROUP, topic: 't', partition: 0 });
  const broken = () => world.shard.replay({ key, value: Buffer.from([0, 3, 1]), timestampMs: 0 }, 0);
  assert.throws(broken, ProtocolError);
  assert.throws(() => world.shard.replay({ key: null, value: null, timestampMs: 0 }, 0), ProtocolError);
});
