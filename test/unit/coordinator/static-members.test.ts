// Static members: they may go away and come back under the same instance id.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GROUP, type Joined, World, subscription } from './support/world.js';

function stable(world: World, instances: readonly string[]): Joined[] {
  const calls = instances.map((groupInstanceId) => world.join({ groupInstanceId }));
  world.advanceUntilAnswered(calls);
  const members = calls.map(({ response: { memberId, generationId } }) => ({ memberId, generationId }));
  const assignments = Object.fromEntries(members.map(({ memberId }, at) => [memberId, `part ${at}`]));
  for (const [at, member] of members.entries()) {
    world.sync(member, at === 0 ? assignments : {}, { groupInstanceId: instances[at]! });
  }
  assert.equal(world.state, 'Stable');
  return members;
}

test('a static member joins at once, under an id made of its instance id', () => {
  const world = new World();
  const call = world.join({ groupInstanceId: 'pod-0' });
  world.advance(3000);
  assert.equal(call.error, 'NONE');
  assert.equal(call.response.memberId, 'pod-0-id1');
  assert.equal(call.response.members[0]?.groupInstanceId, 'pod-0');
});

test('a follower that comes back gets a new id and its old assignment, without a rebalance', () => {
  const world = new World();
  const [, b] = stable(world, ['a', 'b']);
  const back = world.join({ groupInstanceId: 'b' });
  assert.equal(back.error, 'NONE');
  assert.notEqual(back.response.memberId, b!.memberId);
  assert.equal(back.response.generationId, 1);
  assert.equal(back.response.skipAssignment, false);
  assert.deepEqual(back.response.members, []);
  assert.equal(world.state, 'Stable');
  const again = world.sync({ memberId: back.response.memberId, generationId: 1 }, {}, { groupInstanceId: 'b' });
  assert.equal(again.response.assignment.toString(), 'part 1');
  const kept = world.groupRecord.value!.members.find(({ groupInstanceId }) => groupInstanceId === 'b');
  assert.equal(kept?.memberId, back.response.memberId);
  assert.equal(kept?.assignment.toString(), 'part 1');
});

test('a leader that comes back need not assign, from version 9 on', () => {
  const world = new World();
  stable(world, ['a', 'b']);
  const back = world.join({ groupInstanceId: 'a', version: 9 });
  assert.equal(back.response.skipAssignment, true);
  assert.equal(back.response.leader, back.response.memberId);
  assert.equal(back.response.members.length, 2);
});

test('before version 9 a leader that comes back is told its former id as the leader, and takes itself for a follower', () => {
  const world = new World();
  const [a] = stable(world, ['a', 'b']);
  const back = world.join({ groupInstanceId: 'a', version: 8 });
  assert.equal(back.response.skipAssignment, false);
  assert.equal(back.response.leader, a!.memberId);
  assert.deepEqual(back.response.members, []);
});

test('the answer comes when the new id is durable', () => {
  const world = new World();
  stable(world, ['a']);
  world.isLogHeld = true;
  const back = world.join({ groupInstanceId: 'a' });
  assert.equal(back.isAnswered, false);
  world.settle();
  assert.equal(back.error, 'NONE');
});

test('if it cannot be written, the former id is in force again', () => {
  const world = new World();
  const [a] = stable(world, ['a', 'b']);
  world.failures.push(16);
  const back = world.join({ groupInstanceId: 'a', sessionTimeoutMs: 20_000 });
  assert.equal(back.error, 'NOT_COORDINATOR');
  assert.equal(back.response.memberId, '');
  assert.equal(back.response.leader, a!.memberId);
  assert.equal(world.heartbeat(a!, 'a'), 'NONE');
  const group = world.shard.get(GROUP)!;
  assert.equal(group.leaderId, a!.memberId);
  assert.equal(group.members.get(a!.memberId)!.sessionTimeoutMs, 10_000);
  assert.equal(group.members.get(a!.memberId)!.assignment.toString(), 'part 0');
  assert.equal(world.shard.counts.timers, 2);
});

test('a rebalance that begins while the new id is written takes its join along', () => {
  const world = new World();
  const [, b] = stable(world, ['a', 'b']);
  world.isLogHeld = true;
  const back = world.join({ groupInstanceId: 'a' });
  const other = world.join({ memberId: b!.memberId, groupInstanceId: 'b', protocols: [['range', subscription('u')]] });
  assert.equal(back.response.generationId, 2, 'both have joined');
  assert.equal(other.response.generationId, 2);
  world.isLogHeld = false;
  world.settleAll();
  assert.equal(back.answers, 1);
});

test('one that comes back with another choice of protocols rebalances if the choice changes the protocol', () => {
  const world = new World();
  const both: [string, Buffer][] = [['range', subscription('t')], ['sticky', subscription('t')]];
  const call = world.join({ groupInstanceId: 'a', protocols: both });
  world.advance(3000);
  world.sync({ memberId: call.response.memberId, generationId: 1 }, {}, { groupInstanceId: 'a' });
  const back = world.join({ groupInstanceId: 'a', protocols: [both[1]!, both[0]!] });
  assert.equal(back.response.generationId, 2);
  assert.equal(back.response.protocolName, 'sticky');
});

test('while assignments are awaited, one that comes back starts over', () => {
  const world = new World();
  const a = world.join({ groupInstanceId: 'a' });
  const b = world.join({ groupInstanceId: 'b' });
  world.advance(6000);
  const waiting = world.sync({ memberId: b.response.memberId, generationId: 1 }, {}, { groupInstanceId: 'b' });
  const back = world.join({ groupInstanceId: 'b' });
  assert.equal(waiting.error, 'FENCED_INSTANCE_ID');
  assert.equal(world.state, 'PreparingRebalance');
  assert.equal(back.isAnswered, false);
  world.join({ memberId: a.response.memberId, groupInstanceId: 'a' });
  assert.equal(back.response.generationId, 2);
});

test('while a group rebalances, the join of the former self is answered and that of the new one counts', () => {
  const world = new World();
  const first = world.join({ groupInstanceId: 'a' });
  const second = world.join({ groupInstanceId: 'a' });
  assert.equal(first.error, 'FENCED_INSTANCE_ID');
  assert.equal(first.response.memberId, 'a-id1');
  world.advance(3000);
  assert.equal(second.error, 'NONE');
  assert.deepEqual(second.response.members.map(({ memberId }) => memberId), ['a-id2']);
});

test('the former self is fenced in every request, and an unknown instance is unknown', () => {
  const world = new World();
  const [a] = stable(world, ['a']);
  world.join({ groupInstanceId: 'a' });
  const old = { ...a!, groupInstanceId: 'a' };
  assert.equal(world.join(old).error, 'FENCED_INSTANCE_ID');
  assert.equal(world.sync(a!, {}, { groupInstanceId: 'a' }).error, 'FENCED_INSTANCE_ID');
  assert.equal(world.heartbeat(a!, 'a'), 'FENCED_INSTANCE_ID');
  assert.equal(world.commit({ 't-0': 1 }, old).error, 'FENCED_INSTANCE_ID');
  assert.equal(world.leave({ memberId: a!.memberId, groupInstanceId: 'a' }).response.members[0]!.errorCode, 82);
  const stranger = { ...a!, groupInstanceId: 'z' };
  assert.equal(world.join(stranger).error, 'UNKNOWN_MEMBER_ID');
  assert.equal(world.sync(a!, {}, { groupInstanceId: 'z' }).error, 'UNKNOWN_MEMBER_ID');
  assert.equal(world.heartbeat(a!, 'z'), 'UNKNOWN_MEMBER_ID');
  assert.equal(world.commit({ 't-0': 1 }, stranger).error, 'UNKNOWN_MEMBER_ID');
});

test('static members are not dropped for missing a rebalance, only for missing their session', () => {
  const world = new World();
  const [a, b] = stable(world, ['a', 'b']);
  const heartbeats = () => {
    world.advance(9000);
    return world.heartbeat(b!, 'b');
  };
  const rejoined = world.join({ memberId: a!.memberId, groupInstanceId: 'a', rebalanceTimeoutMs: 15_000, protocols: [['range', subscription('u')]] });
  // The longest rebalance timeout of all members counts, that of b.
  for (let spent = 9000; spent < 60_000; spent += 9000) assert.equal(heartbeats(), 'REBALANCE_IN_PROGRESS');
  assert.equal(rejoined.isAnswered, false);
  heartbeats();
  assert.equal(rejoined.response.generationId, 2);
  assert.deepEqual(rejoined.response.members.map(({ groupInstanceId }) => groupInstanceId), ['a', 'b'], 'b is still counted');
});

test('nobody came in time, all are static: the rebalance waits until one comes or their sessions end', () => {
  const world = new World();
  const [a] = stable(world, ['a', 'b']);
  const rejoined = world.join({ memberId: a!.memberId, groupInstanceId: 'a', protocols: [['range', subscription('u')]] });
  world.advance(10_000);
  assert.equal(rejoined.response.generationId, 2, 'b has missed its session');
  assert.equal(world.shard.get(GROUP)!.members.size, 1);
});

test('administrators take static members out by their instance id alone', () => {
  const world = new World();
  stable(world, ['a', 'b', 'c']);
  const call = world.leave({ groupInstanceId: 'a' }, { groupInstanceId: 'nobody' }, { memberId: 'nobody' }, { groupInstanceId: 'c' });
  assert.equal(call.error, 'NONE');
  assert.deepEqual(call.response.members, [
    { memberId: '', groupInstanceId: 'a', errorCode: 0 },
    { memberId: '', groupInstanceId: 'nobody', errorCode: 25 },
    { memberId: 'nobody', groupInstanceId: null, errorCode: 25 },
    { memberId: '', groupInstanceId: 'c', errorCode: 0 },
  ]);
  assert.deepEqual([...world.shard.get(GROUP)!.staticMembers.keys()], ['b']);
});
