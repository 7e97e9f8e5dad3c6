// How long offsets and groups are kept.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WALL_START, World, subscription } from './support/world.js';

const WEEK = 7 * 24 * 3_600_000;

function expireAfter(world: World, ms: number): void {
  world.now = { monotonicMs: world.now.monotonicMs + ms, wallMs: world.now.wallMs + ms };
  world.handle({ kind: 'expire' });
}

test('offsets of those who assign partitions by themselves go a week after their commit, one by one', () => {
  const world = new World();
  world.commit({ 't-0': 1 });
  expireAfter(world, 1000);
  world.commit({ 't-1': 2 });
  expireAfter(world, WEEK - 1001);
  assert.deepEqual(world.offsets(null), { 't-0': 1, 't-1': 2 });
  expireAfter(world, 1);
  assert.deepEqual(world.offsets(null), { 't-1': 2 });
  assert.equal(world.shard.counts.groups, 1);
  expireAfter(world, 1000);
  assert.deepEqual(world.shard.counts, { groups: 0, timers: 0, writes: 0, offsets: 0 });
  assert.equal(world.groupRecord.value, null);
  world.restart();
  assert.equal(world.shard.counts.groups, 0);
});

test('offsets of a group go a week after its last member, however old their commits', () => {
  const world = new World();
  const [a] = world.stableGroup(1, { sessionTimeoutMs: 1_000_000 });
  world.commit({ 't-0': 1 }, a);
  expireAfter(world, WEEK);
  assert.deepEqual(world.offsets(null), { 't-0': 1 }, 'the group is subscribed');
  world.leave({ memberId: a!.memberId });
  expireAfter(world, WEEK - 1);
  assert.deepEqual(world.offsets(null), { 't-0': 1 });
  expireAfter(world, 1);
  assert.deepEqual(world.shard.counts, { groups: 0, timers: 0, writes: 0, offsets: 0 });
});

test('offsets of topics that a stable group does not read any more go a week after their commit', () => {
  const world = new World();
  const [a] = world.stableGroup(1, { protocols: [['range', subscription('t')]] });
  world.commit({ 't-0': 1, 'u-0': 2 }, a);
  expireAfter(world, WEEK);
  assert.deepEqual(world.offsets(null), { 't-0': 1 });
  assert.equal(world.state, 'Stable');
});

test('while a group rebalances, and in groups that are not of consumers, nothing goes', () => {
  const world = new World();
  const [a] = world.stableGroup(2, { protocols: [['range', subscription('t')]] });
  world.commit({ 'u-0': 2 }, a);
  world.join({ memberId: a!.memberId });
  expireAfter(world, WEEK);
  assert.deepEqual(world.offsets(null), { 'u-0': 2 });
  const connect = new World();
  const [c] = connect.stableGroup(1, { protocolType: 'connect', protocols: [['sessioned', Buffer.from('x')]] });
  connect.commit({ 'u-0': 2 }, c);
  expireAfter(connect, WEEK);
  assert.deepEqual(connect.offsets(null), { 'u-0': 2 });
});

test('the longest retention that can be asked for is over at once, as where longs wrap', () => {
  const world = new World();
  const longest = 2n ** 63n - 1n;
  for (const [retentionTimeMs, left] of [[longest, {}], [longest - BigInt(WALL_START) - 1000n, { 't-0': 1 }]] as const) {
    assert.equal(world.commit({ 't-0': 1 }, { retentionTimeMs, version: 4 }).error, 'NONE');
    expireAfter(world, 1);
    assert.deepEqual(world.offsets(null), left);
  }
});

test('a retention that came with the commit counts from the commit', () => {
  const world = new World();
  world.commit({ 't-0': 1 }, { retentionTimeMs: 5000n, version: 4 });
  world.commit({ 't-1': 1 }, { retentionTimeMs: 0n, version: 4 });
  expireAfter(world, 4999);
  assert.deepEqual(world.offsets(null), { 't-0': 1 });
  world.restart();
  expireAfter(world, 1);
  assert.deepEqual(world.offsets(null), {});
});

test('offsets.retention.minutes may change', () => {
  const world = new World();
  world.commit({ 't-0': 1 });
  world.config.offsetsRetentionMs = 60_000;
  expireAfter(world, 60_000);
  assert.deepEqual(world.offsets(null), {});
});

test('a group that has nothing and nobody goes at the next look', () => {
  const world = new World();
  const [a] = world.stableGroup(1);
  world.leave({ memberId: a!.memberId });
  expireAfter(world, 0);
  assert.equal(world.shard.counts.groups, 0);
});

test('a group that somebody is about to join stays', () => {
  const world = new World();
  const { memberId } = world.join().response;
  expireAfter(world, 1000);
  const call = world.join({ memberId });
  world.advance(3000);
  assert.equal(call.error, 'NONE');
});

test('an offset that is being committed stays', () => {
  const world = new World();
  world.commit({ 't-0': 1 });
  world.isLogHeld = true;
  world.now = { monotonicMs: world.now.monotonicMs + WEEK, wallMs: world.now.wallMs + WEEK };
  const call = world.commit({ 't-0': 2 });
  world.handle({ kind: 'expire' });
  world.isLogHeld = false;
  world.settleAll();
  assert.equal(call.error, 'NONE');
  assert.deepEqual(world.offsets(null), { 't-0': 2 });
});

test('what could not be written is kept and goes the next time', () => {
  const world = new World();
  world.commit({ 't-0': 1 });
  world.failures.push(16);
  expireAfter(world, WEEK);
  assert.deepEqual(world.offsets(null), { 't-0': 1 });
  assert.equal(world.shard.counts.groups, 1);
  expireAfter(world, 0);
  assert.equal(world.shard.counts.groups, 0);
});
