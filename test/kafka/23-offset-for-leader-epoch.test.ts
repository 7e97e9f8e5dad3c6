import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorName } from '../../src/protocol/errors.js';
import { offsetForLeaderEpochApi } from '../../src/protocol/messages/23-offset-for-leader-epoch.js';
import { makeTopic, topicName } from './support/names.js';
import { type Target, startTarget } from './support/target.js';

let target: Target;
before(async () => {
  target = await startTarget();
});
after(() => target.stop());

async function ask(topic: string, leaderEpoch: number, currentLeaderEpoch = -1, partition = 0, version = 4) {
  const { topics } = await target.ask(offsetForLeaderEpochApi, version, {
    replicaId: -1, topics: [{ topic, partitions: [{ partition, currentLeaderEpoch, leaderEpoch }] }],
  });
  const answer = topics[0]!.partitions[0]!;
  return [errorName(answer.errorCode), answer.leaderEpoch, answer.endOffset];
}

test('the end of the present epoch, in every version', async () => {
  const { name } = await makeTopic(target, 'epochs');
  await target.produce(name, 0, [{ value: Buffer.from('a') }, { value: Buffer.from('b') }]);
  for (const version of [2, 3, 4]) assert.deepEqual(await ask(name, 0, 0, 0, version), ['NONE', 0, 2n]);
});

test('epochs that the log does not have', async () => {
  const { name } = await makeTopic(target, 'epochs');
  await target.produce(name, 0, [{ value: Buffer.from('a') }]);
  assert.deepEqual(await ask(name, 7), ['NONE', -1, -1n]);
  assert.deepEqual(await ask(name, -1), ['NONE', -1, -1n]);
});

test('an empty log', async () => {
  const { name } = await makeTopic(target, 'epochs');
  assert.deepEqual(await ask(name, 0), ['NONE', 0, 0n]);
});

test('a client that knows another epoch, and partitions that are not there', async () => {
  const { name } = await makeTopic(target, 'epochs');
  assert.equal((await ask(name, 0, 3))[0], 'UNKNOWN_LEADER_EPOCH');
  assert.equal((await ask(name, 0, -1, 2))[0], 'UNKNOWN_TOPIC_OR_PARTITION');
  assert.equal((await ask(topicName('missing'), 0))[0], 'UNKNOWN_TOPIC_OR_PARTITION');
});
