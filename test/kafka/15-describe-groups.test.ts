// DescribeGroups (15), ListGroups (16), DeleteGroups (42) and OffsetDelete (47): groups as administrators see them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorName } from '../../src/protocol/errors.js';
import { offsetCommitApi } from '../../src/protocol/messages/08-offset-commit.js';
import { describeGroupsApi } from '../../src/protocol/messages/15-describe-groups.js';
import { listGroupsApi } from '../../src/protocol/messages/16-list-groups.js';
import { deleteGroupsApi } from '../../src/protocol/messages/42-delete-groups.js';
import { offsetDeleteApi } from '../../src/protocol/messages/47-offset-delete.js';
import { GroupClient, subscription } from './support/groups.js';
import { makeTopic } from './support/names.js';
import { type Target, startTarget } from './support/target.js';

let target: Target;
let client: GroupClient;
before(async () => {
  target = await startTarget();
  client = new GroupClient(target);
});
after(() => target.stop());

const NOT_ASKED = -2147483648;
/** READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS. */
const ALL_OPERATIONS = 3400;

async function commitAlone(groupId: string, name: string): Promise<void> {
  await target.ask(offsetCommitApi, 9, {
    groupId, memberId: '', generationIdOrMemberEpoch: -1,
    topics: [{ name, partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: null }] }],
  });
}

test('groups in every version: stable, empty, and not there', async () => {
  const { name } = await makeTopic(target);
  const stable = await client.newGroup();
  const { memberId } = await client.stable(stable, { groupInstanceId: 'pod' });
  const empty = await client.newGroup();
  await commitAlone(empty, name);
  const absent = `${stable}-not`;
  for (const version of [0, 1, 2, 3, 4, 5, 6]) {
    const { groups } = await target.ask(describeGroupsApi, version, { groups: [stable, empty, absent], includeAuthorizedOperations: version >= 3 });
    const byId = new Map(groups.map((group) => [group.groupId, group]));
    const authorizedOperations = version < 3 ? NOT_ASKED : ALL_OPERATIONS;
    const nobody = { protocolType: '', protocolData: '', members: [] };
    assert.deepEqual(byId.get(stable), {
      errorCode: 0, errorMessage: null, groupId: stable, groupState: 'Stable', protocolType: 'consumer', protocolData: 'range',
      members: [{
        memberId, groupInstanceId: version < 4 ? null : 'pod', clientId: byId.get(stable)!.members[0]!.clientId, clientHost: '/127.0.0.1',
        memberMetadata: subscription('read'), memberAssignment: Buffer.from('mine'),
      }],
      authorizedOperations,
    }, `version ${version}`);
    assert.deepEqual(byId.get(empty), {
      errorCode: 0, errorMessage: null, groupId: empty, groupState: 'Empty', ...nobody, authorizedOperations,
    });
    const isFound = version < 6;
    assert.deepEqual(byId.get(absent), {
      errorCode: isFound ? 0 : 69, errorMessage: isFound ? null : `Group ${absent} not found.`, groupId: absent, groupState: 'Dead', ...nobody,
      authorizedOperations: isFound ? authorizedOperations : NOT_ASKED,
    });
  }
});

test('a group that is not settled shows its members without what they say', async () => {
  const groupId = await client.newGroup();
  await client.joinAlone(groupId);
  const { groups } = await target.ask(describeGroupsApi, 5, { groups: [groupId] });
  const [group] = groups;
  assert.deepEqual([group!.groupState, group!.protocolType, group!.protocolData], ['CompletingRebalance', 'consumer', '']);
  assert.deepEqual([group!.members[0]!.memberMetadata.length, group!.members[0]!.memberAssignment.length], [0, 0]);
});

test('lists of groups in every version', async () => {
  const { name } = await makeTopic(target);
  const stable = await client.newGroup();
  await client.stable(stable);
  const empty = await client.newGroup();
  await commitAlone(empty, name);
  const list = async (version: number, filters = {}) => {
    const { errorCode, groups } = await target.ask(listGroupsApi, version, filters);
    assert.equal(errorCode, 0);
    return groups.filter(({ groupId }) => groupId === stable || groupId === empty)
      .map(({ groupId, protocolType, groupState, groupType }) => [groupId === stable ? 'stable' : 'empty', protocolType, groupState, groupType].join(' ')).sort();
  };
  for (const version of [0, 1, 2, 3]) assert.deepEqual(await list(version), ['empty   ', 'stable consumer  ']);
  assert.deepEqual(await list(4), ['empty  Empty ', 'stable consumer Stable ']);
  assert.deepEqual(await list(5), ['empty  Empty classic', 'stable consumer Stable classic']);
  assert.deepEqual(await list(4, { statesFilter: ['STABLE'] }), ['stable consumer Stable ']);
  assert.deepEqual(await list(5, { statesFilter: [' empty', 'Dead'], typesFilter: ['Classic'] }), ['empty  Empty classic']);
  assert.deepEqual(await list(5, { typesFilter: ['consumer'] }), []);
  assert.deepEqual(await list(5, { typesFilter: ['nonsense'] }), []);
  assert.deepEqual(await list(5, { statesFilter: ['nonsense'] }), []);
});

test('groups are deleted in every version', async () => {
  const { name } = await makeTopic(target);
  for (const version of [0, 1, 2, 3]) {
    const empty = await client.newGroup();
    await commitAlone(empty, name);
    const stable = await client.newGroup();
    await client.stable(stable);
    const absent = `${empty}-not`;
    const { results } = await target.ask(deleteGroupsApi, version, { groupsNames: [empty, stable, absent, empty] });
    const byId = Object.fromEntries(results.map(({ groupId, errorCode }) => [groupId, errorName(errorCode)]));
    assert.deepEqual(byId, { [empty]: 'NONE', [stable]: 'NON_EMPTY_GROUP', [absent]: 'GROUP_ID_NOT_FOUND' });
    assert.equal(results.length, 3);
    const { groups } = await target.ask(describeGroupsApi, 5, { groups: [empty] });
    assert.equal(groups[0]!.groupState, 'Dead');
  }
});

test('offsets are deleted of topics that the group does not read', async () => {
  const read = await makeTopic(target);
  const former = await makeTopic(target);
  const groupId = await client.newGroup();
  const { memberId } = await client.stable(groupId, { protocols: [{ name: 'range', metadata: subscription(read.name) }] });
  for (const { name } of [read, former]) {
    await target.ask(offsetCommitApi, 9, {
      groupId, memberId, generationIdOrMemberEpoch: 1,
      topics: [{ name, partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: null }] }],
    });
  }
  const one = (name: string, ...indexes: number[]) => ({ name, partitions: indexes.map((partitionIndex) => ({ partitionIndex })) });
  const { errorCode, topics } = await target.ask(offsetDeleteApi, 0, {
    groupId, topics: [one(read.name, 0), one(former.name, 0, 7), one('no-such-topic', 0)],
  });
  assert.equal(errorCode, 0);
  const shown = topics.flatMap(({ name, partitions }) => partitions.map((each) => `${name} ${each.partitionIndex} ${errorName(each.errorCode)}`)).sort();
  assert.deepEqual(shown, [
    `${read.name} 0 GROUP_SUBSCRIBED_TO_TOPIC`, `${former.name} 0 NONE`, `${former.name} 7 UNKNOWN_TOPIC_OR_PARTITION`,
    'no-such-topic 0 UNKNOWN_TOPIC_OR_PARTITION',
  ].sort());
});

test('offsets that cannot be deleted', async () => {
  const { name } = await makeTopic(target);
  const say = async (groupId: string) => {
    const { errorCode, topics } = await target.ask(offsetDeleteApi, 0, { groupId, topics: [{ name, partitions: [{ partitionIndex: 0 }] }] });
    assert.deepEqual(topics, []);
    return errorName(errorCode);
  };
  const groupId = await client.newGroup();
  assert.equal(await say(''), 'INVALID_GROUP_ID');
  assert.equal(await say(`${groupId}-not`), 'GROUP_ID_NOT_FOUND');
  await client.stable(groupId, { protocolType: 'connect', protocols: [{ name: 'sessioned', metadata: Buffer.from('x') }] });
  assert.equal(await say(groupId), 'NON_EMPTY_GROUP');
});
