// JoinGroup: into a group, back into it, and why not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GROUP, World, subscription } from './support/world.js';

test('a new dynamic member is first told its id, from version 4 on', () => {
  const world = new World();
  const first = world.join({ clientId: 'reader' });
  assert.equal(first.error, 'MEMBER_ID_REQUIRED');
  assert.equal(first.response.memberId, 'reader-id1');
  assert.equal(first.response.generationId, -1);
  const second = world.join({ memberId: 'reader-id1' });
  world.advance(3000);
  assert.equal(second.error, 'NONE');
  assert.equal(second.response.memberId, 'reader-id1');
});

test('before version 4 it joins at once', () => {
  const world = new World();
  const call = world.join({ version: 3, clientId: 'old' });
  world.advance(3000);
  assert.equal(call.error, 'NONE');
  assert.equal(call.response.memberId, 'old-id1');
  assert.equal(call.response.leader, 'old-id1');
});

test('a group that was merely asked for is in the log with nobody in it', () => {
  const world = new World();
  world.join();
  const { key, value, valueVersion } = world.groupRecord;
  assert.equal(key.group, GROUP);
  assert.equal(valueVersion, 3);
  assert.deepEqual(value, {
    protocolType: '', generation: 0, protocol: null, leader: null, currentStateTimestamp: 1_700_000_000_000n, members: [],
  });
});

test('an id that was given out is forgotten when nobody joins with it in time', () => {
  const world = new World();
  const { memberId } = world.join({ sessionTimeoutMs: 6000 }).response;
  assert.equal(world.shard.counts.timers, 1);
  world.advance(6000);
  assert.equal(world.shard.counts.timers, 0);
  assert.equal(world.join({ memberId }).error, 'UNKNOWN_MEMBER_ID');
});

test('a rebalance waits for ids that were given out, and goes on when one of them is forgotten', () => {
  const world = new World({ initialRebalanceDelayMs: 0 });
  const [a] = world.stableGroup(1);
  const pending = world.join({ sessionTimeoutMs: 6000 }).response.memberId;
  const back = world.join({ memberId: a!.memberId });
  assert.equal(back.isAnswered, false);
  world.advance(5999);
  assert.equal(back.isAnswered, false);
  world.advance(1);
  assert.equal(back.error, 'NONE');
  assert.deepEqual(back.response.members.map(({ memberId }) => memberId), [a!.memberId]);
  assert.equal(world.join({ memberId: pending }).error, 'UNKNOWN_MEMBER_ID');
});

test('an id that was given out may be given back', () => {
  const world = new World();
  const { memberId } = world.join().response;
  assert.deepEqual(world.leave({ memberId }).response.members, [{ memberId, groupInstanceId: null, errorCode: 0 }]);
  assert.equal(world.shard.counts.timers, 0);
  assert.equal(world.join({ memberId }).error, 'UNKNOWN_MEMBER_ID');
});

test('requests that cannot be', () => {
  const world = new World();
  assert.equal(world.join({ groupId: '' }).error, 'INVALID_GROUP_ID');
  assert.equal(world.join({ sessionTimeoutMs: 5999 }).error, 'INVALID_SESSION_TIMEOUT');
  assert.equal(world.join({ sessionTimeoutMs: 1_800_001 }).error, 'INVALID_SESSION_TIMEOUT');
  assert.equal(world.join({ memberId: 'x' }).error, 'UNKNOWN_MEMBER_ID');
  assert.equal(world.join({ protocols: [] }).error, 'INCONSISTENT_GROUP_PROTOCOL');
  assert.equal(world.join({ protocolType: '' }).error, 'INCONSISTENT_GROUP_PROTOCOL');
  assert.equal(world.shard.counts.groups, 0, 'none of them leaves a group behind');
  assert.equal(world.join({ sessionTimeoutMs: 6000 }).error, 'MEMBER_ID_REQUIRED');
  assert.equal(world.join({ sessionTimeoutMs: 1_800_000 }).error, 'MEMBER_ID_REQUIRED');
});

test('the answer names the member that was refused', () => {
  const world = new World();
  assert.equal(world.join({ memberId: 'x' }).response.memberId, 'x');
  assert.equal(world.join({ memberId: 'x', sessionTimeoutMs: 1 }).response.memberId, 'x');
});

test('members must share a protocol and its type', () => {
  const world = new World();
  world.stableGroup(2, { protocols: [['range', subscription('t')], ['sticky', subscription('t')]] });
  assert.equal(world.join({ protocols: [['mine', subscription('t')]] }).error, 'INCONSISTENT_GROUP_PROTOCOL');
  assert.equal(world.join({ protocolType: 'connect' }).error, 'INCONSISTENT_GROUP_PROTOCOL');
  assert.equal(world.join({ protocols: [['sticky', subscription('t')]] }).error, 'MEMBER_ID_REQUIRED');
});

test('a protocol that only some support does not make a member of those who support nothing else', () => {
  const world = new World();
  world.join({ version: 3, protocols: [['a', Buffer.alloc(1)], ['b', Buffer.alloc(1)]] });
  world.join({ version: 3, protocols: [['b', Buffer.alloc(1)], ['c', Buffer.alloc(1)]] });
  assert.equal(world.join({ version: 3, protocols: [['a', Buffer.alloc(1)], ['c', Buffer.alloc(1)]] }).error, 'INCONSISTENT_GROUP_PROTOCOL');
});

test('the protocol is the one that most want most, among those that all support', () => {
  const world = new World();
  const bytes = Buffer.from('m');
  const wishes = [['a', 'b', 'c'], ['c', 'b'], ['d', 'c', 'b'], ['b', 'c']];
  const calls = wishes.map((names) => world.join({ version: 3, protocols: names.map((name) => [name, bytes]) }));
  world.advance(60_000);
  // a and d are not supported by all; what is left: b, c, c, b wins by nobody, so the first of those with the most votes.
  const chosen = new Set(calls.map(({ response }) => response.protocolName));
  assert.deepEqual([...chosen], ['b']);
  const more = new World();
  const others = [['c', 'b'], ['b', 'c'], ['c', 'b']].map((names) => more.join({ version: 3, protocols: names.map((name) => [name, bytes]) }));
  more.advance(60_000);
  assert.equal(others[0]!.response.protocolName, 'c');
});

test('metadata is opaque and any type of protocol will do', () => {
  const world = new World();
  const bytes = Buffer.from([0xff, 0xfe, 0, 1]);
  const [leader] = world.stableGroup(2, { protocolType: 'connect', protocols: [['sessioned', bytes]] });
  const again = world.join({ memberId: leader!.memberId, protocolType: 'connect', protocols: [['sessioned', bytes]] });
  world.advance(10_000);
  assert.equal(again.response.protocolType, 'connect');
  assert.deepEqual(again.response.members[0]?.metadata, bytes);
});

test('what a member says is not kept as a slice of its request', () => {
  const world = new World();
  const request = Buffer.alloc(1 << 20, 'x');
  world.join({ version: 3, protocols: [['range', request.subarray(0, 4)]] });
  const [member] = world.shard.get(GROUP)!.members.values();
  assert.equal(member!.protocols[0]!.metadata.toString(), 'xxxx');
  request.fill('y');
  assert.equal(member!.protocols[0]!.metadata.toString(), 'xxxx');
});

test('the first rebalance waits once more for each delay in which somebody came, up to the rebalance timeout', () => {
  const world = new World();
  const join = () => world.join({ version: 3, rebalanceTimeoutMs: 8000 });
  const first = join();
  world.advance(2999);
  join();
  world.advance(1);
  assert.equal(first.isAnswered, false, 'somebody came: another 3 s');
  world.advance(2999);
  join();
  world.advance(1);
  assert.equal(first.isAnswered, false, 'and another 2 s, which is what is left of 8');
  world.advance(1999);
  join();
  assert.equal(first.isAnswered, false);
  world.advance(1);
  assert.equal(first.error, 'NONE', 'no longer than that');
  assert.equal(first.response.members.length, 4);
});

test('nobody else came: the first rebalance ends after one delay', () => {
  const world = new World();
  const call = world.join({ version: 3 });
  world.advance(2999);
  assert.equal(call.isAnswered, false);
  world.advance(1);
  assert.equal(call.error, 'NONE');
});

test('without a delay the first rebalance does not wait', () => {
  const world = new World({ initialRebalanceDelayMs: 0 });
  const call = world.join({ version: 3 });
  world.advance(1);
  assert.equal(call.error, 'NONE');
});

test('a parked join of a member that nobody knows is sent back after five minutes', () => {
  const world = new World();
  const [a] = world.stableGroup(1, { rebalanceTimeoutMs: 1_000_000, sessionTimeoutMs: 1_000_000 });
  const parked = world.join({ version: 3 });
  world.advance(299_999);
  assert.equal(parked.isAnswered, false);
  world.advance(1);
  assert.equal(parked.error, 'UNKNOWN_MEMBER_ID');
  assert.equal(parked.response.memberId, '');
  assert.equal(world.shard.get(GROUP)!.members.has(a!.memberId), true);
});

test('members that do not come back in time are dropped, and the next one leads', () => {
  const world = new World();
  const [a, b, c] = world.stableGroup(3, { sessionTimeoutMs: 100_000 });
  const joined = [b, c].map((member) => world.join({ memberId: member!.memberId, protocols: [['range', subscription('u')]] }));
  world.advance(59_999);
  assert.equal(joined[0]!.isAnswered, false);
  world.advance(1);
  assert.equal(joined[0]!.response.leader, b!.memberId);
  assert.deepEqual(joined[0]!.response.members.map(({ memberId }) => memberId), [b!.memberId, c!.memberId]);
  assert.deepEqual(joined[1]!.response.members, []);
  assert.equal(world.heartbeat({ memberId: a!.memberId, generationId: 1 }), 'UNKNOWN_MEMBER_ID');
});

test('a follower that says the same again is told the present generation, and one that changes its mind rebalances', () => {
  const world = new World();
  const [leader, follower] = world.stableGroup(2);
  const same = world.join({ memberId: follower!.memberId });
  assert.equal(same.response.generationId, 1);
  assert.equal(same.response.leader, leader!.memberId);
  assert.deepEqual(same.response.members, []);
  assert.equal(world.state, 'Stable');
  world.join({ memberId: follower!.memberId, protocols: [['range', subscription('t', 'u')]] });
  assert.equal(world.state, 'PreparingRebalance');
});

test('a leader that joins again wants a rebalance, whatever it says', () => {
  const world = new World();
  const [leader] = world.stableGroup(2);
  world.join({ memberId: leader!.memberId });
  assert.equal(world.state, 'PreparingRebalance');
});

test('while assignments are awaited, a member that says the same again is answered like before', () => {
  const world = new World();
  const a = world.join({ version: 3 });
  const b = world.join({ version: 3 });
  world.advance(6000);
  const leader = world.join({ memberId: a.response.memberId });
  assert.deepEqual(leader.response, a.response);
  const follower = world.join({ memberId: b.response.memberId });
  assert.deepEqual(follower.response, b.response);
  assert.equal(world.state, 'CompletingRebalance');
});

test('while assignments are awaited, a new mind or a new member starts over', () => {
  const world = new World();
  const a = world.join({ version: 3 });
  world.advance(3000);
  const waiting = world.sync({ memberId: a.response.memberId, generationId: 1 });
  assert.equal(waiting.error, 'NONE', 'the leader is alone');
  const b = world.join({ version: 3 });
  assert.equal(world.state, 'PreparingRebalance');
  const again = world.join({ memberId: a.response.memberId });
  assert.equal(b.response.generationId, 2);
  const follower = world.sync({ memberId: b.response.memberId, generationId: 2 });
  assert.equal(follower.isAnswered, false);
  world.join({ memberId: again.response.memberId, protocols: [['range', subscription('x')]] });
  assert.equal(follower.error, 'REBALANCE_IN_PROGRESS');
  assert.equal(world.state, 'PreparingRebalance');
});

test('a join that is parked twice is answered twice, the first one with nothing', () => {
  const world = new World();
  const { memberId } = world.join().response;
  const first = world.join({ memberId });
  const second = world.join({ memberId });
  assert.equal(first.error, 'REBALANCE_IN_PROGRESS');
  assert.equal(second.isAnswered, false);
  world.advance(3000);
  assert.equal(second.error, 'NONE');
});

test('group.max.size: the seats are taken', () => {
  const world = new World({ maxGroupSize: 2 });
  world.stableGroup(2);
  const refused = world.join();
  assert.equal(refused.error, 'GROUP_MAX_SIZE_REACHED');
  assert.equal(refused.response.memberId, '');
});

test('group.max.size: while a group rebalances the first who join get the seats', () => {
  const world = new World();
  const members = world.stableGroup(3);
  world.config.maxGroupSize = 2;
  const [a, b, c] = members.map(({ memberId }) => world.join({ memberId, protocols: [['range', subscription('u')]] }));
  assert.equal(c!.error, 'GROUP_MAX_SIZE_REACHED');
  assert.equal(a!.error, 'NONE', 'nobody else is waited for');
  assert.equal(b!.error, 'NONE');
  assert.equal(world.shard.get(GROUP)!.members.size, 2);
});

test('bounds on what the coordinator keeps in memory', () => {
  const world = new World({ maxGroups: 1, maxPendingMembersPerGroup: 2, maxMemberBytes: 100 });
  assert.equal(world.join().error, 'MEMBER_ID_REQUIRED');
  assert.equal(world.join({ groupId: 'other' }).error, 'COORDINATOR_NOT_AVAILABLE');
  const { memberId } = world.join().response;
  assert.equal(world.join().error, 'COORDINATOR_NOT_AVAILABLE', 'ids that were given out');
  world.join({ memberId });
  world.leave({ memberId });
  assert.equal(world.usage.memberBytes, 0);
  assert.equal(world.join({ protocols: [['range', Buffer.alloc(100)]] }).error, 'COORDINATOR_NOT_AVAILABLE', 'bytes');
  assert.equal(world.join({ protocols: [['range', Buffer.alloc(90)]] }).error, 'MEMBER_ID_REQUIRED');
});

test('a group whose first record cannot be written is gone, and its members know', () => {
  const world = new World();
  world.isLogHeld = true;
  const parked = world.join({ version: 3 });
  const pending = world.join();
  assert.equal(pending.error, 'MEMBER_ID_REQUIRED');
  assert.equal(world.shard.seen(GROUP), undefined, 'not there until it is durable');
  world.settle(15);
  assert.equal(parked.error, 'COORDINATOR_NOT_AVAILABLE');
  assert.deepEqual(world.shard.counts, { groups: 0, timers: 0, writes: 0, offsets: 0 });
  assert.deepEqual(world.usage, { groups: 0, memberBytes: 0 });
  assert.equal(world.join({ memberId: pending.response.memberId }).error, 'UNKNOWN_MEMBER_ID');
});

test('an instance id does not go with an id that was given to a dynamic member', () => {
  const world = new World();
  const { memberId } = world.join().response;
  assert.equal(world.join({ memberId, groupInstanceId: 'i' }).error, 'UNKNOWN_SERVER_ERROR');
});
