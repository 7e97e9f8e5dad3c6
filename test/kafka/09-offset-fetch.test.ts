// OffsetFetch in its versions.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorName } from '../../src/protocol/errors.js';
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

async function committed(name: string, offset: number): Promise<string> {
  const groupId = await client.newGroup();
  await target.ask(offsetCommitApi, 9, {
    groupId, memberId: '', generationIdOrMemberEpoch: -1,
    topics: [{ name, partitions: [{ partitionIndex: 0, committedOffset: BigInt(offset), committedLeaderEpoch: 4, committedMetadata: 'm' }] }],
  });
  return groupId;
}

const nothing = { committedOffset: -1n, committedLeaderEpoch: -1, metadata: '', errorCode: 0 };

test('versions 1 to 7: one group', async () => {
  const { name } = await makeTopic(target, 'fetched', { partitions: 2 });
  const groupId = await committed(name, 7);
  for (const version of [1, 2, 3, 4, 5, 6, 7]) {
    const asked = await target.ask(offsetFetchApi, version, { groupId, topics: [{ name, partitionIndexes: [0, 1, 9] }, { name: 'no-such-topic', partitionIndexes: [0] }] });
    assert.equal(asked.errorCode, 0, `version ${version}`);
    assert.deepEqual(asked.topics, [
      { name, partitions: [
        { partitionIndex: 0, committedOffset: 7n, committedLeaderEpoch: version < 5 ? -1 : 4, metadata: 'm', errorCode: 0 },
        { partitionIndex: 1, ...nothing }, { partitionIndex: 9, ...nothing },
      ] },
      { name: 'no-such-topic', partitions: [{ partitionIndex: 0, ...nothing }] },
    ]);
    if (version < 2) continue;
    const all = await target.ask(offsetFetchApi, version, { groupId, topics: null, requireStable: version >= 7 });
    assert.deepEqual(all.topics.map((topic) => [topic.name, topic.partitions.map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset])]), [
      [name, [[0, 7n]]],
    ]);
  }
});

test('versions 8 to 10: many groups', async () => {
  const { name, id } = await makeTopic(target, 'fetched', { partitions: 2 });
  const first = await committed(name, 7);
  const second = await committed(name, 8);
  const absent = `${first}-not`;
  for (const version of [8, 9, 10]) {
    const topic = version < 10 ? { name } : { topicId: id };
    const { groups } = await target.ask(offsetFetchApi, version, {
      requireStable: true,
      groups: [
        { groupId: second, topics: null },
        { groupId: first, topics: [{ ...topic, partitionIndexes: [0, 1] }] },
        { groupId: absent, topics: [{ ...topic, partitionIndexes: [0] }] },
        { groupId: absent.concat('-all'), topics: null },
        { groupId: second, topics: [] },
      ],
    });
    const shown = groups.map(({ groupId, errorCode, topics }) => [groupId, errorName(errorCode), ...topics.map((each) => [
      version < 10 ? each.name : each.topicId, ...each.partitions.map(({ partitionIndex, committedOffset }) => `${partitionIndex}: ${committedOffset}`),
    ])]);
    const it = version < 10 ? name : id;
    assert.deepEqual(shown, [
      [second, 'NONE', [it, '0: 8']], [first, 'NONE', [it, '0: 7', '1: -1']], [absent, 'NONE', [it, '0: -1']],
      [`${absent}-all`, 'NONE'], [second, 'NONE'],
    ], `version ${version}`);
  }
});

test('version 10: topics that are not there', async () => {
  const { name, id } = await makeTopic(target, 'fetched');
  const groupId = await committed(name, 7);
  const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ';
  const { groups } = await target.ask(offsetFetchApi, 10, {
    groups: [{ groupId, topics: [{ topicId, partitionIndexes: [0] }, { topicId: id, partitionIndexes: [0] }] }],
  });
  const shown = groups[0]!.topics.map((topic) => [topic.topicId, topic.partitions.map(({ committedOffset, errorCode }) => [committedOffset, errorName(errorCode)])]);
  assert.deepEqual(shown, [[id, [[7n, 'NONE']]], [topicId, [[-1n, 'UNKNOWN_TOPIC_ID']]]]);
});
