// SyncGroup, its versions and refusals.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorName } from '../../src/protocol/errors.js';
import { GroupClient } from './support/groups.js';
import { type Target, startTarget } from './support/target.js';

let target: Target;
let client: GroupClient;
before(async () => {
  target = await startTarget();
  client = new GroupClient(target);
});
after(() => target.stop());

test('every version: the leader assigns, and may ask again', async () => {
  for (const version of [0, 1, 2, 3, 4, 5]) {
    const groupId = await client.newGroup();
    const member = await client.joinAlone(groupId);
    const names = { protocolType: 'consumer', protocolName: 'range' };
    const assignments = [{ memberId: member.memberId, assignment: Buffer.from('A') }, { memberId: 'stranger', assignment: Buffer.from('B') }];
    const synced = await client.sync(version, { ...member, ...names, assignments });
    assert.equal(errorName(synced.errorCode), 'NONE', `version ${version}`);
    assert.equal(synced.assignment.toString(), 'A');
    assert.deepEqual([synced.protocolType, synced.protocolName], version < 5 ? [null, null] : ['consumer', 'range']);
    const again = await client.sync(version, { ...member, ...names });
    assert.equal(again.assignment.toString(), 'A');
  }
});

test('refusals', async () => {
  const groupId = await client.newGroup();
  const member = await client.joinAlone(groupId);
  const say = async (request: Parameters<GroupClient['sync']>[1], version = 5) => {
    const { errorCode, assignment } = await client.sync(version, { ...member, protocolType: 'consumer', protocolName: 'range', ...request });
    assert.equal(assignment.length, 0);
    return errorName(errorCode);
  };
  assert.equal(await say({ groupId: '' }), 'INVALID_GROUP_ID');
  assert.equal(await say({ groupId: `${groupId}-not` }), 'UNKNOWN_MEMBER_ID');
  assert.equal(await say({ memberId: 'x' }), 'UNKNOWN_MEMBER_ID');
  assert.equal(await say({ groupInstanceId: 'i' }), 'UNKNOWN_MEMBER_ID');
  assert.equal(await say({ generationId: 2 }), 'ILLEGAL_GENERATION');
  assert.equal(await say({ protocolType: 'connect' }), 'INCONSISTENT_GROUP_PROTOCOL');
  assert.equal(await say({ protocolName: 'sticky' }), 'INCONSISTENT_GROUP_PROTOCOL');
  assert.equal(await say({ protocolName: null }), 'INCONSISTENT_GROUP_PROTOCOL');
  assert.equal(await say({ protocolType: null }), 'INCONSISTENT_GROUP_PROTOCOL');
  await client.leave(member);
  assert.equal(await say({}), 'UNKNOWN_MEMBER_ID');
});

test('during a rebalance', async () => {
  const groupId = await client.newGroup();
  const member = await client.stable(groupId);
  // An id that was given out is waited for, once there is a rebalance.
  await client.join(9, { groupId });
  const parked = client.joinAside(9, { groupId, memberId: member.memberId });
  for (let i = 0; i < 5000 && await client.heartbeat(4, member) === 'NONE'; i += 1);
  const { errorCode } = await client.sync(5, { ...member, protocolType: 'consumer', protocolName: 'range' });
  assert.equal(errorName(errorCode), 'REBALANCE_IN_PROGRESS');
  await client.leave(member);
  assert.equal(errorName((await parked).errorCode), 'UNKNOWN_MEMBER_ID');
});
