// DeleteGroups: a group that nobody needs any more, with all its offsets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GROUP, World } from './support/world.js';

test('an empty group goes with its offsets, for everybody when that is durable', () => {
  const world = new World();
  world.commit({ 't-0': 1, 't-1': 2 });
  world.isLogHeld = true;
  const call = world.deleteGroups(GROUP);
  assert.equal(call.isAnswered, false);
  assert.ok(world.shard.seen(GROUP), 'still seen');
  assert.deepEqual(world.offsets(null), { 't-0': 1, 't-1': 2 });
  world.settle();
  assert.deepEqual(call.response, [{ groupId: GROUP, errorCode: 0 }]);
  assert.equal(world.shard.seen(GROUP), undefined);
  assert.deepEqual(world.offsets(null), {});
  assert.deepEqual(world.shard.counts, { groups: 0, timers: 0, writes: 0, offsets: 0 });
  world.restart();
  assert.equal(world.shard.counts.groups, 0);
});

test('groups with members, and groups that are not there, stay as they are', () => {
  const world = new World();
  world.stableGroup(1);
  assert.deepEqual(world.deleteGroups(GROUP, 'none').response, [
    { groupId: GROUP, errorCode: 68 }, { groupId: 'none', errorCode: 69 },
  ]);
  assert.equal(world.state, 'Stable');
});

test('if it cannot be written the group is there again', () => {
  const world = new World();
  world.commit({ 't-0': 1 });
  world.failures.push(15);
  assert.deepEqual(world.deleteGroups(GROUP).response, [{ groupId: GROUP, errorCode: 15 }]);
  assert.deepEqual(world.offsets(null), { 't-0': 1 });
  assert.equal(world.state, 'Empty');
  assert.equal(world.usage.groups, 1);
});

test('who asks twice is told that it is gone when it is, not before', () => {
  const world = new World();
  world.commit({ 't-0': 1 });
  world.isLogHeld = true;
  world.deleteGroups(GROUP);
  const again = world.deleteGroups(GROUP);
  assert.equal(again.isAnswered, false);
  world.settleAll();
  assert.deepEqual(again.response, [{ groupId: GROUP, errorCode: 69 }]);
});

test('a group may be made anew while the former one goes', () => {
  const world = new World();
  world.commit({ 't-0': 1, 't-1': 1 });
  world.isLogHeld = true;
  world.deleteGroups(GROUP);
  const call = world.commit({ 't-0': 9 });
  world.isLogHeld = false;
  world.settleAll();
  assert.equal(call.error, 'NONE');
  assert.deepEqual(world.offsets(null), { 't-0': 9 });
  assert.equal(world.usage.groups, 1);
  world.restart();
  assert.deepEqual(world.offsets(null), { 't-0': 9 });
});

test('a group with very many offsets is deleted in several batches, itself in the last one', () => {
  const world = new World();
  const offsets = Object.fromEntries(Array.from({ length: 2500 }, (_, index) => [`t-${index}`, index]));
  world.commit(offsets);
  const before = world.log.length;
  world.isLogHeld = true;
  const call = world.deleteGroups(GROUP);
  assert.deepEqual(world.held.map(({ records }) => records.length), [1000, 1000, 501]);
  world.settle();
  world.settle();
  assert.equal(call.isAnswered, false);
  world.settle();
  assert.deepEqual(call.response, [{ groupId: GROUP, errorCode: 0 }]);
  assert.equal(world.log.length - before, 2501);
});

test('an id that was given out is not good for a group that was deleted', () => {
  const world = new World();
  const { memberId } = world.join().response;
  world.deleteGroups(GROUP);
  assert.equal(world.shard.counts.timers, 0);
  assert.equal(world.join({ memberId }).error, 'UNKNOWN_MEMBER_ID');
});
