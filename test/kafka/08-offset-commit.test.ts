// OffsetCommit, its versions and refusals.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorName } from '../../src/protocol/errors.js';
import { type RequestInput } from '../../src/protocol/api.js';
import { offsetCommitApi } from '../../src/protocol/messages/08-offset-commit.js';
import { offsetFetchApi } from '../../src/protocol/messages/09-offset-fetch.js';
import { GroupClient } from './support/groups.js';
import { makeTopic } from './support/names.js';
import { type Target, startTarget } from './support/target.js';

let target: Target;
let client: GroupClient;
before(async () => {
  target = await startTarget();
  client = new GroupClient(target);
});
after(() => target.stop());

const VERSIONS = [2, 3, 4, 5, 6, 7, 8, 9, 10];
const NO_RETENTION = -1n;

function partition(partitionIndex: number, offset: number, more = {}) {
  return { partitionIndex, committedOffset: BigInt(offset), committedMetadata: null, ...more };
}

/** By the name or the id of the topic, as the version wants it. */
async function commit(version: number, topic: { name: string; id: string }, request: RequestInput<typeof offsetCommitApi>, partitions = [partition(0, 7)]) {
  const { topics } = await target.ask(offsetCommitApi, version, {
    retentionTimeMs: NO_RETENTION, memberId: '', generationIdOrMemberEpoch: -1,
    topics: [version < 10 ? { name: topic.name, partitions } : { topicId: topic.id, partitions }],
    ...request,
  });
  assert.equal(topics.length, 1);
  assert.equal(version < 10 ? topics[0]!.name : topics[0]!.topicId, version < 10 ? topic.name : topic.id);
  return topics[0]!.partitions.sort((a, b) => a.partitionIndex - b.partitionIndex)
    .map(({ partitionIndex, errorCode }) => `${partitionIndex} ${errorName(errorCode)}`);
}

test('every version: without a group, as a member, and by nobody', async () => {
  const topic = await makeTopic(target, 'committed', { partitions: 2 });
  for (const version of VERSIONS) {
    const simple = await client.newGroup();
    assert.deepEqual(await commit(version, topic, { groupId: simple }, [partition(0, 1), partition(1, 2), partition(2, 3)]), [
      '0 NONE', '1 NONE', '2 UNKNOWN_TOPIC_OR_PARTITION',
    ], `version ${version}`);
    const { groups } = await target.ask(offsetFetchApi, 9, { groups: [{ groupId: simple, topics: null }] });
    const found = groups[0]!.topics[0]!.partitions.map(({ committedOffset }) => committedOffset).sort();
    assert.deepEqual(found, [1n, 2n]);
    const groupId = await client.newGroup();
    const { memberId } = await client.stable(groupId);
    const member = { groupId, memberId, generationIdOrMemberEpoch: 1 };
    assert.deepEqual(await commit(version, topic, member), ['0 NONE']);
    assert.deepEqual(await commit(version, topic, { ...member, generationIdOrMemberEpoch: 2 }), ['0 ILLEGAL_GENERATION']);
    assert.deepEqual(await commit(version, topic, { ...member, memberId: 'x' }), ['0 UNKNOWN_MEMBER_ID']);
    assert.deepEqual(await commit(version, topic, { groupId }), ['0 UNKNOWN_MEMBER_ID']);
    const missing = await commit(version, topic, { ...member, groupId: `${groupId}-not` });
    assert.deepEqual(missing, [version < 9 ? '0 ILLEGAL_GENERATION' : '0 GROUP_ID_NOT_FOUND']);
    if (version >= 7) assert.deepEqual(await commit(version, topic, { ...member, groupInstanceId: 'i' }), ['0 UNKNOWN_MEMBER_ID']);
  }
});

test('while assignments are awaited', async () => {
  const topic = await makeTopic(target);
  const groupId = await client.newGroup();
  const { memberId } = await client.joinAlone(groupId);
  assert.deepEqual(await commit(9, topic, { groupId, memberId, generationIdOrMemberEpoch: 1 }), ['0 REBALANCE_IN_PROGRESS']);
});

test('topics that are not there', async () => {
  const groupId = await client.newGroup();
  const topic = { name: 'no-such-topic', id: 'AAAAAAAAAAAAAAAAAAAAAQ' };
  assert.deepEqual(await commit(2, topic, { groupId }), ['0 UNKNOWN_TOPIC_OR_PARTITION']);
  assert.deepEqual(await commit(9, topic, { groupId }), ['0 UNKNOWN_TOPIC_OR_PARTITION']);
  assert.deepEqual(await commit(10, topic, { groupId }), ['0 UNKNOWN_TOPIC_ID']);
});

test('text that comes with an offset', async () => {
  const topic = await makeTopic(target, 'text', { partitions: 3 });
  const groupId = await client.newGroup();
  const texts = ['x'.repeat(4096), 'x'.repeat(4097), 'ü'.repeat(4096)];
  const partitions = texts.map((committedMetadata, index) => partition(index, index, { committedMetadata, committedLeaderEpoch: index }));
  assert.deepEqual(await commit(9, topic, { groupId }, partitions), ['0 NONE', '1 OFFSET_METADATA_TOO_LARGE', '2 NONE']);
  const { groups } = await target.ask(offsetFetchApi, 9, { groups: [{ groupId, topics: [{ name: topic.name, partitionIndexes: [0, 1, 2] }] }] });
  const found = groups[0]!.topics[0]!.partitions.map(({ committedOffset, committedLeaderEpoch, metadata }) => [committedOffset, committedLeaderEpoch, metadata]);
  assert.deepEqual(found, [[0n, 0, texts[0]], [-1n, -1, ''], [2n, 2, texts[2]]]);
});

test('a group without a name', async () => {
  const topic = await makeTopic(target);
  assert.deepEqual(await commit(9, topic, { groupId: '' }), ['0 NONE']);
});
