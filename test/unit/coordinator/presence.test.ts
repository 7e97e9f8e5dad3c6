// Heartbeats, sessions, and members that leave.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GROUP, World, subscription } from './support/world.js';

test('heartbeats keep a member', () => {
  const world = new World();
  const [a] = world.stableGroup(1);
  for (let beat = 0; beat < 10; beat++) {
    world.advance(9999);
    assert.equal(world.heartbeat(a!), 'NONE');
  }
  world.advance(10_000);
  assert.equal(world.heartbeat(a!), 'UNKNOWN_MEMBER_ID');
  assert.equal(world.state, 'Empty');
  assert.equal(world.groupRecord.value!.generation, 2);
  assert.equal(world.shard.counts.timers, 0);
});

test('who may not', () => {
  const world = new World();
  assert.equal(world.heartbeat({ memberId: 'x', generationId: 1 }), 'UNKNOWN_MEMBER_ID');
  const [a] = world.stableGroup(1);
  assert.equal(world.heartbeat({ memberId: 'x', generationId: 1 }), 'UNKNOWN_MEMBER_ID');
  assert.equal(world.heartbeat({ ...a!, generationId: 0 }), 'ILLEGAL_GENERATION');
  assert.equal(world.heartbeat({ memberId: '', generationId: 1 }), 'UNKNOWN_MEMBER_ID');
  const pending = world.join().response.memberId;
  assert.equal(world.heartbeat({ memberId: pending, generationId: 1 }), 'UNKNOWN_MEMBER_ID');
});

test('a member is called to the rebalance by its heartbeats, which keep it all the same', () => {
  const world = new World();
  const [a, b] = world.stableGroup(2);
  world.join({ memberId: a!.memberId });
  for (let beat = 0; beat < 5; beat++) {
    world.advance(9000);
    assert.equal(world.heartbeat(b!), 'REBALANCE_IN_PROGRESS');
  }
  assert.equal(world.shard.get(GROUP)!.members.size, 2);
});

test('while assignments are awaited heartbeats are as usual', () => {
  const world = new World();
  const call = world.join({ version: 3 });
  world.advance(3000);
  assert.equal(world.heartbeat({ memberId: call.response.memberId, generationId: 1 }), 'NONE');
});

test('a session that ends makes the others rebalance', () => {
  const world = new World();
  const [a, b] = world.stableGroup(2);
  world.advance(5000);
  assert.equal(world.heartbeat(a!), 'NONE');
  world.advance(5000);
  assert.equal(world.heartbeat(a!), 'REBALANCE_IN_PROGRESS');
  assert.equal(world.heartbeat(b!), 'UNKNOWN_MEMBER_ID');
});

test('a member that waits for an answer need not send heartbeats', () => {
  const world = new World();
  const [a] = world.stableGroup(2, { sessionTimeoutMs: 10_000 });
  const parked = world.join({ memberId: a!.memberId });
  world.advance(10_000);
  assert.equal(parked.response.generationId, 2, 'the other one has missed its session');
  const b = world.join({ version: 3, sessionTimeoutMs: 1_000_000 });
  assert.equal(b.isAnswered, false);
  world.join({ memberId: a!.memberId });
  const follower = { memberId: b.response.memberId, generationId: 3 };
  const waiting = world.sync(follower);
  world.advance(9999);
  world.heartbeat({ memberId: a!.memberId, generationId: 3 });
  world.advance(9999);
  assert.equal(waiting.isAnswered, false);
  assert.equal(world.shard.get(GROUP)!.members.size, 2);
});

test('what comes late but was sent in time counts: timers fire only when they are told to', () => {
  const world = new World();
  const [a] = world.stableGroup(1);
  const { now } = world;
  // The event loop was held up for a minute; then the heartbeat is handled before time passes.
  world.now = { monotonicMs: now.monotonicMs + 5000, wallMs: now.wallMs + 5000 };
  assert.equal(world.heartbeat(a!), 'NONE');
  world.now = { monotonicMs: now.monotonicMs + 14_999, wallMs: now.wallMs + 14_999 };
  world.shard.advanceTo(world.now);
  assert.equal(world.state, 'Stable');
});

test('a member leaves and the others rebalance, without waiting for it', () => {
  const world = new World();
  const [a, b] = world.stableGroup(2);
  assert.equal(world.leave({ memberId: b!.memberId, reason: 'scaled down' }).error, 'NONE');
  assert.equal(world.state, 'PreparingRebalance');
  assert.equal(world.join({ memberId: a!.memberId }).response.generationId, 2);
});

test('the leader leaves: the next one leads', () => {
  const world = new World();
  const [a, b, c] = world.stableGroup(3);
  world.leave({ memberId: a!.memberId });
  const joined = [b, c].map((member) => world.join({ memberId: member!.memberId }));
  assert.equal(joined[1]!.response.leader, b!.memberId);
});

test('one that leaves while others wait for it lets them go on', () => {
  const world = new World();
  const [a, b, c] = world.stableGroup(3);
  const [first, second] = [a, b].map((member) => world.join({ memberId: member!.memberId, protocols: [['range', subscription('u')]] }));
  assert.equal(first!.isAnswered, false);
  world.leave({ memberId: c!.memberId });
  assert.equal(first!.response.generationId, 2);
  assert.equal(second!.response.generationId, 2);
});

test('one that is parked in a join is told when it is taken out', () => {
  const world = new World();
  const [a] = world.stableGroup(2);
  const parked = world.join({ memberId: a!.memberId });
  world.leave({ memberId: a!.memberId });
  assert.equal(parked.error, 'UNKNOWN_MEMBER_ID');
});

test('the last one leaves: the answer comes when the empty group is durable', () => {
  const world = new World();
  const [a] = world.stableGroup(1);
  world.isLogHeld = true;
  const left = world.leave({ memberId: a!.memberId });
  assert.equal(left.isAnswered, false);
  world.settle();
  assert.equal(left.error, 'NONE');
  assert.equal(world.state, 'Empty');
});

test('if that cannot be written the one who left is told, and is gone', () => {
  const world = new World();
  const [a] = world.stableGroup(1);
  world.failures.push(15);
  assert.equal(world.leave({ memberId: a!.memberId }).error, 'COORDINATOR_NOT_AVAILABLE');
  assert.equal(world.state, 'Empty');
});

test('who cannot leave', () => {
  const world = new World();
  const strangers = world.leave({ memberId: 'x' });
  assert.equal(strangers.error, 'NONE');
  assert.deepEqual(strangers.response.members, [{ memberId: 'x', groupInstanceId: null, errorCode: 25 }]);
  assert.equal(world.ask('leave', { groupId: '', members: [] }).error, 'INVALID_GROUP_ID');
  world.stableGroup(1);
  assert.deepEqual(world.leave({ memberId: 'x' }, {}).response.members.map(({ errorCode }) => errorCode), [25, 25]);
  assert.equal(world.state, 'Stable');
});
