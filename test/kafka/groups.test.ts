// A classic group through its life, over the wire: JoinGroup (11), SyncGroup (14), Heartbeat (12), OffsetCommit (8), OffsetFetch
// (9), DescribeGroups (15), ListGroups (16), LeaveGroup (13), OffsetDelete (47), DeleteGroups (42). The rules of the coordinator
// itself are tested in virtual time, in test/unit/coordinator.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorName } from '../../src/protocol/errors.js';
import {
  deleteGroupsApi, describeGroupsApi, findCoordinatorApi, heartbeatApi, joinGroupApi, leaveGroupApi, listGroupsApi,
  offsetCommitApi, offsetDeleteApi, offsetFetchApi, syncGroupApi,
} from '../../src/protocol/index.js';
import { makeTopic, topicName } from './support/names.js';
import { type Target, startTarget } from './support/target.js';

let target: Target;
before(async () => {
  target = await startTarget();
  for (let i = 0; i < 1000; i += 1) {
    if ((await target.ask(findCoordinatorApi, 3, { key: 'g', keyType: 0 })).errorCode === 0) break;
  }
});
after(() => target.stop());

const protocols = [{ name: 'range', metadata: Buffer.from('what I read') }];

async function join(groupId: string, memberId = '') {
  return target.ask(joinGroupApi, 9, {
    groupId, memberId, sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, protocolType: 'consumer', protocols, groupInstanceId: null,
  });
}

/** One member alone in a new group, stable. */
async function stableGroup() {
  const groupId = topicName('group');
  // Kafka loads the partitions of its offsets topic one by one.
  let first = await join(groupId);
  for (let i = 0; ['COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR'].includes(errorName(first.errorCode)) && i < 1000; i += 1) first = await join(groupId);
  assert.equal(errorName(first.errorCode), 'MEMBER_ID_REQUIRED');
  const joined = await join(groupId, first.memberId);
  assert.equal(errorName(joined.errorCode), 'NONE');
  assert.deepEqual([joined.leader, joined.protocolName, joined.generationId, joined.members.length], [joined.memberId, 'range', 1, 1]);
  const synced = await target.ask(syncGroupApi, 5, {
    groupId, generationId: 1, memberId: joined.memberId, protocolType: 'consumer', protocolName: 'range',
    assignments: [{ memberId: joined.memberId, assignment: Buffer.from('what you get') }],
  });
  assert.equal(errorName(synced.errorCode), 'NONE');
  assert.equal(synced.assignment.toString(), 'what you get');
  return { groupId, memberId: joined.memberId, generationId: 1 };
}

async function heartbeat({ groupId, memberId, generationId }: { groupId: string; memberId: string; generationId: number }) {
  return errorName((await target.ask(heartbeatApi, 4, { groupId, memberId, generationId })).errorCode);
}

test('a member joins, is assigned, lives, and leaves', async () => {
  const member = await stableGroup();
  const { groupId, memberId } = member;
  assert.equal(await heartbeat(member), 'NONE');
  assert.equal(await heartbeat({ ...member, generationId: 7 }), 'ILLEGAL_GENERATION');
  assert.equal(await heartbeat({ ...member, memberId: 'nobody' }), 'UNKNOWN_MEMBER_ID');

  const { groups } = await target.ask(describeGroupsApi, 5, { groups: [groupId] });
  const [group] = groups;
  assert.deepEqual([group!.groupState, group!.protocolType, group!.protocolData], ['Stable', 'consumer', 'range']);
  assert.deepEqual(group!.members.map((each) => [each.memberId, each.memberMetadata.toString(), each.memberAssignment.toString()]), [
    [memberId, 'what I read', 'what you get'],
  ]);
  const listed = await target.ask(listGroupsApi, 5, { statesFilter: ['Stable'], typesFilter: [] });
  const found = listed.groups.find((each) => each.groupId === groupId)!;
  assert.deepEqual([found.protocolType, found.groupState, found.groupType], ['consumer', 'Stable', 'classic']);

  const left = await target.ask(leaveGroupApi, 5, { groupId, members: [{ memberId, groupInstanceId: null, reason: null }] });
  assert.deepEqual([left.errorCode, left.members.map(({ errorCode }) => errorCode)], [0, [0]]);
  assert.equal(await heartbeat(member), 'UNKNOWN_MEMBER_ID');
});

test('offsets are committed, fetched and deleted; an empty group can be deleted', async () => {
  const { name, id } = await makeTopic(target, 'committed', { partitions: 2 });
  const member = await stableGroup();
  const { groupId, memberId, generationId } = member;
  const commit = async (partitionIndex: number, committedOffset: bigint, committedMetadata: string | null = 'note') => {
    const { topics } = await target.ask(offsetCommitApi, 9, {
      groupId, memberId, generationIdOrMemberEpoch: generationId,
      topics: [{ name, partitions: [{ partitionIndex, committedOffset, committedLeaderEpoch: 3, committedMetadata }] }],
    });
    return errorName(topics[0]!.partitions[0]!.errorCode);
  };
  assert.equal(await commit(0, 42n), 'NONE');
  assert.equal(await commit(9, 42n), 'UNKNOWN_TOPIC_OR_PARTITION');
  assert.equal(await commit(1, 42n, 'x'.repeat(5000)), 'OFFSET_METADATA_TOO_LARGE');

  const fetched = await target.ask(offsetFetchApi, 9, {
    groups: [{ groupId, topics: [{ name, partitionIndexes: [0, 1] }] }],
  });
  const partitions = [...fetched.groups[0]!.topics[0]!.partitions].sort((a, b) => a.partitionIndex - b.partitionIndex);
  assert.deepEqual(partitions.map((each) => [each.partitionIndex, each.committedOffset, each.committedLeaderEpoch, each.metadata, each.errorCode]), [
    [0, 42n, 3, 'note', 0], [1, -1n, -1, '', 0],
  ]);
  const byId = await target.ask(offsetFetchApi, 10, { groups: [{ groupId, topics: [{ topicId: id, partitionIndexes: [0] }] }] });
  assert.deepEqual([byId.groups[0]!.topics[0]!.topicId, byId.groups[0]!.topics[0]!.partitions[0]!.committedOffset], [id, 42n]);

  assert.equal(errorName((await target.ask(deleteGroupsApi, 2, { groupsNames: [groupId] })).results[0]!.errorCode), 'NON_EMPTY_GROUP');
  await target.ask(leaveGroupApi, 5, { groupId, members: [{ memberId, groupInstanceId: null, reason: null }] });
  const deleted = await target.ask(offsetDeleteApi, 0, { groupId, topics: [{ name, partitions: [{ partitionIndex: 0 }] }] });
  assert.equal(errorName(deleted.topics[0]!.partitions[0]!.errorCode), 'NONE');
  const gone = await target.ask(offsetFetchApi, 7, { groupId, topics: [{ name, partitionIndexes: [0] }] });
  assert.equal(gone.topics[0]!.partitions[0]!.committedOffset, -1n);
  assert.equal(errorName((await target.ask(deleteGroupsApi, 2, { groupsNames: [groupId] })).results[0]!.errorCode), 'NONE');
  assert.equal(errorName((await target.ask(deleteGroupsApi, 2, { groupsNames: [groupId] })).results[0]!.errorCode), 'GROUP_ID_NOT_FOUND');
});

test('a second member makes the first one rebalance', async () => {
  const first = await stableGroup();
  const { groupId } = first;
  const { memberId } = await join(groupId);
  const waiting = joinOnOwnConnection(groupId, memberId);
  let told = await heartbeat(first);
  for (let i = 0; told === 'NONE' && i < 1000; i += 1) told = await heartbeat(first);
  assert.equal(told, 'REBALANCE_IN_PROGRESS');
  const again = await join(groupId, first.memberId);
  const second = await waiting;
  assert.deepEqual([errorName(again.errorCode), again.generationId, errorName(second.errorCode), second.generationId], ['NONE', 2, 'NONE', 2]);
  const leader = again.leader === again.memberId ? again : second;
  assert.deepEqual(leader.members.map((each) => each.memberId).sort(), [first.memberId, memberId].sort());
});

/** A join that waits holds back what comes after it on its connection. */
async function joinOnOwnConnection(groupId: string, memberId: string) {
  const body = joinGroupApi.request.encode(9, {
    groupId, memberId, sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, protocolType: 'consumer', protocols, groupInstanceId: null,
  });
  return target.askRaw(joinGroupApi, 9, body);
}
