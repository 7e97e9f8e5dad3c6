// SyncGroup: from the leader's assignment to everybody's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Call, GROUP, World } from './support/world.js';
import { type JoinResponse } from '../../../src/coordinator/requests.js';

function completing(world: World, count = 2) {
  const calls: Call<JoinResponse>[] = Array.from({ length: count }, () => world.join({ version: 3 }));
  world.advance(6000);
  assert.equal(world.state, 'CompletingRebalance');
  return calls.map(({ response: { memberId, generationId } }) => ({ memberId, generationId }));
}

test('everybody hears when the assignment is durable, not before', () => {
  const world = new World();
  const [leader, follower] = completing(world);
  world.isLogHeld = true;
  const led = world.sync(leader!, { [leader!.memberId]: 'L', [follower!.memberId]: 'F' });
  const followed = world.sync(follower!);
  assert.equal(led.isAnswered, false);
  assert.equal(followed.isAnswered, false);
  assert.equal(world.state, 'CompletingRebalance');
  world.settle();
  assert.equal(led.response.assignment.toString(), 'L');
  assert.equal(followed.response.assignment.toString(), 'F');
  assert.deepEqual([led.response.protocolType, led.response.protocolName], ['consumer', 'range']);
});

test('the record says what the group is', () => {
  const world = new World();
  const [leader] = completing(world, 1);
  world.sync(leader!, { [leader!.memberId]: 'L' });
  const { value } = world.groupRecord;
  assert.equal(value?.generation, 1);
  assert.equal(value?.leader, leader!.memberId);
  assert.equal(value?.protocol, 'range');
  assert.equal(value?.protocolType, 'consumer');
  const [member] = value!.members;
  assert.equal(member?.clientHost, '/127.0.0.1');
  assert.equal(member?.clientId, 'client');
  assert.equal(member?.sessionTimeout, 10_000);
  assert.equal(member?.rebalanceTimeout, 60_000);
  assert.equal(member?.assignment.toString(), 'L');
  assert.equal(member?.subscription.length, 13);
});

test('members that the leader forgot get nothing, strangers that it named are ignored', () => {
  const world = new World();
  const [leader, follower] = completing(world);
  const followed = world.sync(follower!);
  world.sync(leader!, { stranger: 'S' });
  assert.equal(followed.error, 'NONE');
  assert.equal(followed.response.assignment.length, 0);
  assert.deepEqual(world.groupRecord.value!.members.map(({ memberId }) => memberId), [leader!.memberId, follower!.memberId]);
});

test('one that is late gets its part of a group that is stable already', () => {
  const world = new World();
  const [leader, follower] = completing(world);
  world.sync(leader!, { [follower!.memberId]: 'F' });
  assert.equal(world.state, 'Stable');
  assert.equal(world.sync(follower!).response.assignment.toString(), 'F');
});

test('who may not', () => {
  const world = new World();
  assert.equal(world.sync({ memberId: 'x', generationId: 1 }).error, 'UNKNOWN_MEMBER_ID', 'no such group');
  assert.equal(world.sync({ memberId: 'x', generationId: 1 }, {}, { groupId: '' }).error, 'INVALID_GROUP_ID');
  world.commit({ 't-0': 1 });
  assert.equal(world.sync({ memberId: 'x', generationId: 0 }).error, 'UNKNOWN_MEMBER_ID', 'nobody is there');
  const [leader] = completing(world, 1);
  assert.equal(world.sync({ memberId: 'x', generationId: 1 }).error, 'UNKNOWN_MEMBER_ID');
  assert.equal(world.sync({ ...leader!, generationId: 0 }).error, 'ILLEGAL_GENERATION');
  assert.equal(world.sync({ ...leader!, generationId: 2 }).error, 'ILLEGAL_GENERATION');
  assert.equal(world.sync(leader!, {}, { protocolType: 'connect' }).error, 'INCONSISTENT_GROUP_PROTOCOL');
  assert.equal(world.sync(leader!, {}, { protocolName: 'sticky' }).error, 'INCONSISTENT_GROUP_PROTOCOL');
  assert.equal(world.sync(leader!, {}, { protocolName: null, protocolType: null }).error, 'NONE', 'older versions do not say');
});

test('during a rebalance', () => {
  const world = new World();
  const [leader, follower] = world.stableGroup(2);
  world.join({ memberId: leader!.memberId });
  assert.equal(world.sync(follower!).error, 'REBALANCE_IN_PROGRESS');
});

test('a sync that is parked twice is answered twice, the first one with nothing', () => {
  const world = new World();
  const [leader, follower] = completing(world);
  const first = world.sync(follower!);
  const second = world.sync(follower!);
  assert.equal(first.error, 'REBALANCE_IN_PROGRESS');
  world.sync(leader!, { [follower!.memberId]: 'F' });
  assert.equal(second.response.assignment.toString(), 'F');
});

test('an assignment that cannot be written: everybody is told and the group rebalances', () => {
  const world = new World();
  const [leader, follower] = completing(world);
  const followed = world.sync(follower!);
  world.failures.push(16);
  const led = world.sync(leader!, { [follower!.memberId]: 'F' });
  assert.equal(led.error, 'NOT_COORDINATOR');
  assert.equal(followed.error, 'NOT_COORDINATOR');
  assert.equal(world.state, 'PreparingRebalance');
  assert.equal(world.heartbeat(leader!), 'REBALANCE_IN_PROGRESS');
});

test('a rebalance that begins while an assignment is written: the assignment is nobody\'s', () => {
  const world = new World();
  const [leader, follower] = completing(world);
  world.isLogHeld = true;
  const led = world.sync(leader!, { [leader!.memberId]: 'old' });
  const newcomer = world.join({ version: 3 });
  assert.equal(led.error, 'REBALANCE_IN_PROGRESS');
  world.settleAll();
  assert.equal(world.state, 'PreparingRebalance');
  world.join(leader!);
  world.join(follower!);
  assert.equal(newcomer.response.generationId, 2);
  assert.equal(world.shard.get(GROUP)!.members.get(leader!.memberId)!.assignment.length, 0);
});

test('members that do not ask for their assignment in time are dropped', () => {
  const world = new World();
  const [leader, follower] = completing(world);
  world.sync(leader!);
  const heart = () => {
    world.advance(9000);
    world.heartbeat(leader!);
    world.heartbeat(follower!);
  };
  for (let spent = 0; spent < 54_000; spent += 9000) heart();
  assert.equal(world.state, 'Stable');
  heart();
  assert.equal(world.state, 'PreparingRebalance');
  assert.equal(world.heartbeat(follower!), 'UNKNOWN_MEMBER_ID');
  assert.equal(world.join({ memberId: leader!.memberId }).response.generationId, 2);
});

test('the leader does not ask in time: it is dropped, and the others start over', () => {
  const world = new World();
  const [leader, follower] = completing(world);
  const followed = world.sync(follower!);
  for (let spent = 0; spent <= 60_000; spent += 6000) {
    world.heartbeat(leader!);
    world.advance(6000);
  }
  assert.equal(followed.error, 'REBALANCE_IN_PROGRESS');
  const again = world.join({ memberId: follower!.memberId });
  assert.equal(again.response.leader, follower!.memberId);
});

test('a member that is taken out while it waits for its assignment is told', () => {
  const world = new World();
  const [, follower] = completing(world);
  const followed = world.sync(follower!);
  world.leave({ memberId: follower!.memberId });
  assert.equal(followed.error, 'UNKNOWN_MEMBER_ID');
});

test('a leader that asks again while its assignment is written does not write another one', () => {
  const world = new World();
  const [leader] = completing(world);
  world.isLogHeld = true;
  const first = world.sync(leader!, { [leader!.memberId]: 'first' });
  const second = world.sync(leader!, { [leader!.memberId]: 'second' });
  assert.equal(world.held.length, 1);
  world.settle();
  assert.equal(first.error, 'REBALANCE_IN_PROGRESS');
  assert.equal(second.response.assignment.toString(), 'first');
});
