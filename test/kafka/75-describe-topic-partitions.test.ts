import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorName } from '../../src/protocol/errors.js';
import { describeTopicPartitionsApi } from '../../src/protocol/messages/75-describe-topic-partitions.js';
import { type RequestInput, type ResponseOf } from '../../src/protocol/api.js';
import { makeTopic, topicName } from './support/names.js';
import { type Target, startTarget } from './support/target.js';

type Request = RequestInput<typeof describeTopicPartitionsApi>;

let target: Target;
before(async () => {
  target = await startTarget();
});
after(() => target.stop());

async function ask(names: string[], more: Request = {}) {
  const { topics, nextCursor } = await target.ask(describeTopicPartitionsApi, 0, { topics: names.map((name) => ({ name })), ...more });
  return {
    topics: topics.map(({ name, errorCode, partitions }) => `${name} ${errorName(errorCode)} ${partitions.map((p) => p.partitionIndex).join(',')}`),
    cursor: nextCursor === null ? null : `${nextCursor.topicName} ${nextCursor.partitionIndex}`,
    raw: topics,
  };
}

test('topics with their partitions, sorted by name', async () => {
  const a = await makeTopic(target, 'a', { partitions: 2 });
  const b = await makeTopic(target, 'b');
  const { topics, cursor, raw } = await ask([b.name, a.name]);
  assert.deepEqual(topics, [`${a.name} NONE 0,1`, `${b.name} NONE 0`]);
  assert.equal(cursor, null);
  assert.equal(raw[0]!.topicId, a.id);
  assert.equal(raw[0]!.isInternal, false);
  assert.equal(raw[0]!.topicAuthorizedOperations, 3576);
  const { unknownTags: _, ...partition } = raw[0]!.partitions[0]!;
  assert.deepEqual(partition, {
    errorCode: 0, partitionIndex: 0, leaderId: 1, leaderEpoch: 0, replicaNodes: [1], isrNodes: [1], eligibleLeaderReplicas: [],
    lastKnownElr: [], offlineReplicas: [],
  });
});

test('pages end within a topic, and between topics', async () => {
  const a = (await makeTopic(target, 'page-a', { partitions: 3 })).name;
  const b = (await makeTopic(target, 'page-b', { partitions: 2 })).name;
  const first = await ask([a, b], { responsePartitionLimit: 2 });
  assert.deepEqual([first.topics, first.cursor], [[`${a} NONE 0,1`], `${a} 2`]);
  const second = await ask([a, b], { responsePartitionLimit: 1, cursor: { topicName: a, partitionIndex: 2 } });
  assert.deepEqual([second.topics, second.cursor], [[`${a} NONE 2`], `${b} 0`]);
  const third = await ask([a, b], { responsePartitionLimit: 2, cursor: { topicName: b, partitionIndex: 0 } });
  assert.deepEqual([third.topics, third.cursor], [[`${b} NONE 0,1`], null]);
  const least = await ask([a, b], { responsePartitionLimit: 0 });
  assert.deepEqual([least.topics, least.cursor], [[`${a} NONE 0`], `${a} 1`]);
});

test('missing topics and impossible names', async () => {
  const missing = topicName('missing');
  const { topics } = await ask([missing, 'no spaces']);
  assert.deepEqual(topics.sort(), [`${missing} UNKNOWN_TOPIC_OR_PARTITION `, 'no spaces INVALID_TOPIC_EXCEPTION '].sort());
});

test('cursors that make no sense', async () => {
  const { name } = await makeTopic(target);
  for (const cursor of [{ topicName: name, partitionIndex: -1 }, { topicName: 'another', partitionIndex: 0 }]) {
    const { topics } = await ask([name], { cursor });
    assert.deepEqual(topics, [`${name} INVALID_REQUEST `]);
  }
});

test('all topics, when none is named', async () => {
  const { name } = await makeTopic(target);
  const seen: string[] = [];
  let cursor: Request['cursor'] = null;
  do {
    const { topics, nextCursor }: ResponseOf<typeof describeTopicPartitionsApi> = await target.ask(describeTopicPartitionsApi, 0, {
      topics: [], responsePartitionLimit: 5, cursor,
    });
    seen.push(...topics.map((topic) => topic.name!));
    cursor = nextCursor;
  } while (cursor !== null);
  assert.ok(seen.includes(name));
  assert.deepEqual(seen, [...seen].sort());
});
