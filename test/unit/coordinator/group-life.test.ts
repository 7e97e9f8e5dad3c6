// A group from its first member to its last.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GROUP, World, subscription } from './support/world.js';

test('two consumers join, sync, send heartbeats, commit, and one takes over when the other leaves', () => {
  const world = new World();
  const a = world.joinTwice();
  const b = world.joinTwice();
  assert.equal(a.isAnswered, false, 'the first rebalance waits for more members');
  world.advance(6000);
  assert.equal(a.error, 'NONE');
  assert.equal(b.error, 'NONE');
  const { memberId: leader } = a.response;
  const { memberId: follower } = b.response;
  assert.equal(a.response.leader, leader);
  assert.equal(b.response.leader, leader);
  assert.equal(a.response.generationId, 1);
  assert.equal(a.response.protocolName, 'range');
  assert.deepEqual(a.response.members.map(({ memberId }) => memberId), [leader, follower]);
  assert.deepEqual(a.response.members[0]?.metadata, subscription('t'));
  assert.deepEqual(b.response.members, [], 'only the leader is told of the others');

  const waiting = world.sync({ memberId: follower, generationId: 1 });
  assert.equal(waiting.isAnswered, false, 'a follower waits for the leader');
  const led = world.sync({ memberId: leader, generationId: 1 }, { [leader]: 'A', [follower]: 'B' });
  assert.equal(led.response.assignment.toString(), 'A');
  assert.equal(waiting.response.assignment.toString(), 'B');
  assert.equal(world.state, 'Stable');

  assert.equal(world.heartbeat({ memberId: leader, generationId: 1 }), 'NONE');
  const commit = world.commit({ 't-0': 42 }, { memberId: leader, generationId: 1 });
  assert.deepEqual(commit.response.topics[0]?.partitions, [{ partitionIndex: 0, errorCode: 0 }]);
  assert.deepEqual(world.offsets(['t-0', 't-1']), { 't-0': 42, 't-1': -1 });

  assert.equal(world.leave({ memberId: follower }).error, 'NONE');
  assert.equal(world.heartbeat({ memberId: leader, generationId: 1 }), 'REBALANCE_IN_PROGRESS');
  const again = world.join({ memberId: leader });
  assert.equal(again.response.generationId, 2, 'the one who is left is alone, so that nobody need be waited for');
  assert.equal(world.sync({ memberId: leader, generationId: 2 }, { [leader]: 'AB' }).response.assignment.toString(), 'AB');

  assert.equal(world.leave({ memberId: leader }).error, 'NONE');
  assert.equal(world.state, 'Empty');
  const { value } = world.groupRecord;
  assert.deepEqual({ ...value, currentStateTimestamp: undefined }, {
    protocolType: 'consumer', generation: 3, protocol: null, leader: null, currentStateTimestamp: undefined, members: [],
  });
  assert.deepEqual(world.shard.counts, { groups: 1, timers: 0, writes: 0, offsets: 1 });
  assert.equal(world.usage.memberBytes, 0);
  assert.deepEqual(world.offsets(['t-0']), { 't-0': 42 }, 'offsets outlive members');
  assert.equal(world.shard.get(GROUP)?.state, 'Empty');
});
