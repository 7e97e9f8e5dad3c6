// LeaveGroup (13) and Heartbeat (12), their versions and refusals.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorName } from '../../src/protocol/errors.js';
import { leaveGroupApi } from '../../src/protocol/messages/13-leave-group.js';
import { GroupClient } from './support/groups.js';
import { type Target, startTarget } from './support/target.js';

let target: Target;
let client: GroupClient;
before(async () => {
  target = await startTarget();
  client = new GroupClient(target);
});
after(() => target.stop());

test('heartbeats in every version', async () => {
  const groupId = await client.newGroup();
  const member = await client.stable(groupId);
  for (const version of [0, 1, 2, 3, 4]) {
    assert.equal(await client.heartbeat(version, member), 'NONE');
    assert.equal(await client.heartbeat(version, { ...member, generationId: 0 }), 'ILLEGAL_GENERATION');
    assert.equal(await client.heartbeat(version, { ...member, memberId: 'x' }), 'UNKNOWN_MEMBER_ID');
    assert.equal(await client.heartbeat(version, { ...member, groupId: `${groupId}-not` }), 'UNKNOWN_MEMBER_ID');
    assert.equal(await client.heartbeat(version, { ...member, groupId: '' }), 'INVALID_GROUP_ID');
  }
  for (const version of [3, 4]) {
    assert.equal(await client.heartbeat(version, { ...member, groupInstanceId: 'i' }), 'UNKNOWN_MEMBER_ID');
  }
});

test('versions 0 to 2: one member, one error', async () => {
  for (const version of [0, 1, 2]) {
    const groupId = await client.newGroup();
    const { memberId } = await client.stable(groupId);
    const leave = async (id: string) => errorName((await target.ask(leaveGroupApi, version, { groupId, memberId: id })).errorCode);
    assert.equal(await leave('x'), 'UNKNOWN_MEMBER_ID');
    assert.equal(await leave(memberId), 'NONE');
    assert.equal(await leave(memberId), 'UNKNOWN_MEMBER_ID');
    assert.equal(errorName((await target.ask(leaveGroupApi, version, { groupId: '', memberId })).errorCode), 'INVALID_GROUP_ID');
  }
});

test('versions 3 to 5: several members, an error for each', async () => {
  for (const version of [3, 4, 5]) {
    const groupId = await client.newGroup();
    const pending = (await client.join(9, { groupId })).memberId;
    const leave = async (members: readonly { readonly memberId: string; readonly groupInstanceId?: string | null }[]) => {
      const { errorCode, members: left } = await target.ask(leaveGroupApi, version, { groupId, members });
      assert.equal(errorCode, 0);
      return left.map((member) => `${member.memberId} ${member.groupInstanceId} ${errorName(member.errorCode)}`);
    };
    assert.deepEqual(await leave([{ memberId: pending }]), [`${pending} null NONE`]);
    const { memberId } = await client.stable(groupId, { groupInstanceId: 'pod' });
    assert.deepEqual(await leave([
      { memberId: 'x' }, { memberId: '' }, { memberId: '', groupInstanceId: 'x' }, { memberId: 'x', groupInstanceId: 'pod' },
      { memberId, groupInstanceId: 'x' }, { memberId: '', groupInstanceId: 'pod' }, { memberId },
    ]), [
      'x null UNKNOWN_MEMBER_ID', ' null UNKNOWN_MEMBER_ID', ' x UNKNOWN_MEMBER_ID', 'x pod FENCED_INSTANCE_ID',
      `${memberId} x UNKNOWN_MEMBER_ID`, ' pod NONE', `${memberId} null UNKNOWN_MEMBER_ID`,
    ]);
  }
});

test('a group that is not there', async () => {
  const groupId = `${await client.newGroup()}-not`;
  const { errorCode, members } = await target.ask(leaveGroupApi, 5, { groupId, members: [{ memberId: 'x', groupInstanceId: 'i' }] });
  assert.equal(errorCode, 0);
  assert.deepEqual(members.map((member) => [member.memberId, member.groupInstanceId, errorName(member.errorCode)]), [['x', 'i', 'UNKNOWN_MEMBER_ID']]);
});
