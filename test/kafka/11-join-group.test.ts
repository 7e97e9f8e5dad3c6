// JoinGroup, its versions and its refusals. What takes time is tested in test/unit/coordinator.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorName } from '../../src/protocol/errors.js';
import { GroupClient, subscription } from './support/groups.js';
import { type Target, startTarget } from './support/target.js';

let target: Target;
let client: GroupClient;
before(async () => {
  target = await startTarget();
  client = new GroupClient(target);
});
after(() => target.stop());

test('versions 0 to 3: a newcomer is a member at once', async () => {
  for (const version of [0, 1, 2, 3]) {
    const groupId = await client.newGroup();
    const joined = await client.join(version, { groupId });
    assert.equal(errorName(joined.errorCode), 'NONE', `version ${version}`);
    assert.equal(joined.generationId, 1);
    assert.equal(joined.leader, joined.memberId);
    assert.equal(joined.protocolName, 'range');
    assert.deepEqual(joined.members, [{ memberId: joined.memberId, groupInstanceId: null, metadata: subscription('read') }]);
  }
});

test('versions 4 to 9: a newcomer is told its id first', async () => {
  for (const version of [4, 5, 6, 7, 8, 9]) {
    const groupId = await client.newGroup();
    const told = await client.join(version, { groupId });
    assert.equal(errorName(told.errorCode), 'MEMBER_ID_REQUIRED', `version ${version}`);
    assert.match(told.memberId, /-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.deepEqual([told.generationId, told.leader, told.members], [-1, '', []]);
    assert.equal(told.protocolName, version < 7 ? '' : null);
    const joined = await client.join(version, { groupId, memberId: told.memberId });
    assert.equal(errorName(joined.errorCode), 'NONE');
    assert.equal(joined.memberId, told.memberId);
    assert.equal(joined.protocolType, version < 7 ? null : 'consumer');
  }
});

test('versions 5 to 9: a static member is a member at once, and comes back under another id', async () => {
  for (const version of [5, 6, 7, 8, 9]) {
    const groupId = await client.newGroup();
    const first = await client.join(version, { groupId, groupInstanceId: 'pod' });
    assert.equal(errorName(first.errorCode), 'NONE', `version ${version}`);
    assert.equal(first.members[0]?.groupInstanceId, 'pod');
    const synced = await client.sync(3, { groupId, memberId: first.memberId, generationId: 1, groupInstanceId: 'pod' });
    assert.equal(errorName(synced.errorCode), 'NONE');
    const back = await client.join(version, { groupId, groupInstanceId: 'pod' });
    assert.equal(errorName(back.errorCode), 'NONE');
    assert.equal(back.generationId, 1);
    assert.notEqual(back.memberId, first.memberId);
    assert.equal(back.leader, version < 9 ? first.memberId : back.memberId);
    assert.equal(back.skipAssignment, version >= 9);
    assert.equal(back.members.length, version < 9 ? 0 : 1);
    const fenced = await client.join(version, { groupId, groupInstanceId: 'pod', memberId: first.memberId });
    assert.equal(errorName(fenced.errorCode), 'FENCED_INSTANCE_ID');
    assert.equal(await client.heartbeat(3, { groupId, memberId: first.memberId, generationId: 1, groupInstanceId: 'pod' }), 'FENCED_INSTANCE_ID');
  }
});

test('refusals', async () => {
  const groupId = await client.newGroup();
  const say = async (request: Parameters<GroupClient['join']>[1]) => {
    const { errorCode, memberId } = await client.join(9, { groupId, ...request });
    return [errorName(errorCode), memberId];
  };
  assert.deepEqual(await say({ groupId: '' }), ['INVALID_GROUP_ID', '']);
  assert.deepEqual(await say({ sessionTimeoutMs: 5999 }), ['INVALID_SESSION_TIMEOUT', '']);
  assert.deepEqual(await say({ sessionTimeoutMs: 1_800_001, memberId: 'x' }), ['INVALID_SESSION_TIMEOUT', 'x']);
  assert.deepEqual(await say({ memberId: 'x' }), ['UNKNOWN_MEMBER_ID', 'x']);
  assert.deepEqual(await say({ protocols: [] }), ['INCONSISTENT_GROUP_PROTOCOL', '']);
  assert.deepEqual(await say({ protocolType: '' }), ['INCONSISTENT_GROUP_PROTOCOL', '']);
  const member = await client.stable(groupId);
  assert.deepEqual(await say({ protocolType: 'connect' }), ['INCONSISTENT_GROUP_PROTOCOL', '']);
  assert.deepEqual(await say({ protocols: [{ name: 'mine', metadata: Buffer.alloc(0) }] }), ['INCONSISTENT_GROUP_PROTOCOL', '']);
  assert.deepEqual(await say({ memberId: 'x' }), ['UNKNOWN_MEMBER_ID', 'x']);
  assert.deepEqual(await say({ memberId: member.memberId, groupInstanceId: 'i' }), ['UNKNOWN_MEMBER_ID', member.memberId]);
});

test('the leader says the same again and leads a new generation', async () => {
  const groupId = await client.newGroup();
  const { memberId } = await client.stable(groupId);
  const again = await client.join(9, { groupId, memberId });
  assert.deepEqual([errorName(again.errorCode), again.generationId, again.leader], ['NONE', 2, memberId]);
});

test('what joins while assignments are awaited, saying the same, is answered like before', async () => {
  const groupId = await client.newGroup();
  const { memberId } = await client.joinAlone(groupId);
  const again = await client.join(9, { groupId, memberId });
  assert.deepEqual([errorName(again.errorCode), again.generationId, again.members.length], ['NONE', 1, 1]);
});

test('members vote for their protocol', async () => {
  const groupId = await client.newGroup();
  const of = (...names: string[]) => names.map((name) => ({ name, metadata: Buffer.from(name) }));
  const first = await client.stable(groupId, { protocols: of('a', 'b') });
  const others = [of('b', 'a'), of('b', 'c', 'a')];
  const ids = [];
  for (const protocols of others) ids.push((await client.join(9, { groupId, protocols })).memberId);
  const waiting = ids.map((memberId, at) => client.joinAside(9, { groupId, memberId, protocols: others[at]! }));
  for (let i = 0; i < 5000 && await client.heartbeat(4, first) === 'NONE'; i += 1);
  const led = await client.join(9, { groupId, memberId: first.memberId, protocols: of('a', 'b') });
  const joined = [led, ...await Promise.all(waiting)];
  assert.deepEqual(joined.map(({ protocolName }) => protocolName), ['b', 'b', 'b']);
  const leader = joined.find(({ members }) => members.length > 0)!;
  assert.equal(leader.members.length, 3);
  assert.ok(leader.members.every(({ metadata }) => metadata.toString() === 'b'));
});

test('a group of another kind, with metadata that is nobody else\'s business', async () => {
  const groupId = await client.newGroup();
  const protocols = [{ name: 'sessioned', metadata: Buffer.from([0xff, 0, 0xff]) }];
  const { memberId } = await client.stable(groupId, { protocolType: 'connect', protocols });
  const again = await client.join(9, { groupId, memberId, protocolType: 'connect', protocols });
  assert.equal(again.protocolType, 'connect');
  assert.deepEqual(again.members[0]?.metadata, Buffer.from([0xff, 0, 0xff]));
});
