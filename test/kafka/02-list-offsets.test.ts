import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorName } from '../../src/protocol/errors.js';
import { listOffsetsApi } from '../../src/protocol/messages/02-list-offsets.js';
import { deleteRecordsApi } from '../../src/protocol/messages/21-delete-records.js';
import { makeTopic, topicName } from './support/names.js';
import { type Target, startTarget } from './support/target.js';

const [LATEST, EARLIEST, GREATEST, EARLIEST_LOCAL, LATEST_TIERED, PENDING_UPLOAD] = [-1n, -2n, -3n, -4n, -5n, -6n] as const;
const T = BigInt(Date.now()) - 60_000n;

let target: Target;
before(async () => {
  target = await startTarget();
});
after(() => target.stop());

interface Question { readonly topic: string; readonly timestamp: bigint; readonly partition?: number; readonly epoch?: number; readonly isolation?: number }

async function ask(version: number, { topic, timestamp, partition = 0, epoch = -1, isolation = 0 }: Question) {
  const { topics } = await target.ask(listOffsetsApi, version, {
    replicaId: -1,
    isolationLevel: isolation,
    topics: [{ name: topic, partitions: [{ partitionIndex: partition, currentLeaderEpoch: epoch, timestamp }] }],
  });
  const answer = topics[0]!.partitions[0]!;
  return [errorName(answer.errorCode), answer.offset, answer.timestamp, answer.leaderEpoch];
}

/** Five records in three batches, with times T+10, T+30, T+20 | T+40 | T+5. */
async function filledTopic(): Promise<string> {
  const { name } = await makeTopic(target, 'offsets');
  const at = (delta: bigint) => ({ value: Buffer.from(String(delta)), timestamp: T + delta });
  await target.produce(name, 0, [at(10n), at(30n), at(20n)]);
  await target.produce(name, 0, [at(40n)]);
  await target.produce(name, 0, [at(5n)]);
  return name;
}

test('the ends of a log, in every version', async () => {
  const name = await filledTopic();
  for (let version = 1; version <= 11; version += 1) {
    const epoch = version >= 4 ? 0 : -1;
    assert.deepEqual(await ask(version, { topic: name, timestamp: LATEST }), ['NONE', 5n, -1n, epoch], `version ${version}`);
    assert.deepEqual(await ask(version, { topic: name, timestamp: EARLIEST }), ['NONE', 0n, -1n, epoch], `version ${version}`);
  }
});

test('an empty log', async () => {
  const { name } = await makeTopic(target);
  assert.deepEqual(await ask(7, { topic: name, timestamp: LATEST }), ['NONE', 0n, -1n, 0]);
  assert.deepEqual(await ask(7, { topic: name, timestamp: EARLIEST }), ['NONE', 0n, -1n, 0]);
  assert.deepEqual(await ask(7, { topic: name, timestamp: GREATEST }), ['NONE', -1n, -1n, -1]);
  assert.deepEqual(await ask(7, { topic: name, timestamp: T }), ['NONE', -1n, -1n, -1]);
});

test('the first record at or after a time', async () => {
  const name = await filledTopic();
  for (const [delta, offset, found] of [[0n, 0n, 10n], [10n, 0n, 10n], [11n, 1n, 30n], [30n, 1n, 30n], [31n, 3n, 40n], [40n, 3n, 40n]] as const) {
    assert.deepEqual(await ask(7, { topic: name, timestamp: T + delta }), ['NONE', offset, T + found, 0], `T+${delta}`);
  }
  assert.deepEqual(await ask(7, { topic: name, timestamp: T + 41n }), ['NONE', -1n, -1n, -1]);
  assert.deepEqual(await ask(1, { topic: name, timestamp: T + 11n }), ['NONE', 1n, T + 30n, -1]);
});

test('the record with the greatest time', async () => {
  const name = await filledTopic();
  assert.deepEqual(await ask(7, { topic: name, timestamp: GREATEST }), ['NONE', 3n, T + 40n, 0]);
});

test('remote storage: nothing there', async () => {
  const name = await filledTopic();
  assert.deepEqual(await ask(8, { topic: name, timestamp: EARLIEST_LOCAL }), ['NONE', 0n, -1n, 0]);
  assert.deepEqual(await ask(9, { topic: name, timestamp: LATEST_TIERED }), ['NONE', -1n, -1n, -1]);
  assert.deepEqual(await ask(11, { topic: name, timestamp: PENDING_UPLOAD }), ['NONE', -1n, -1n, -1]);
});

test('special times before their version, and ones that nobody knows', async () => {
  const { name } = await makeTopic(target);
  for (const [version, timestamp] of [[6, GREATEST], [7, EARLIEST_LOCAL], [8, LATEST_TIERED], [10, PENDING_UPLOAD], [11, -7n]] as const) {
    assert.deepEqual(await ask(version, { topic: name, timestamp }), ['UNSUPPORTED_VERSION', -1n, -1n, -1], `${timestamp}`);
  }
});

test('committed records only: all of them, where there are no transactions', async () => {
  const name = await filledTopic();
  assert.deepEqual(await ask(7, { topic: name, timestamp: LATEST, isolation: 1 }), ['NONE', 5n, -1n, 0]);
});

test('after records were deleted the log begins later', async () => {
  const name = await filledTopic();
  await target.ask(deleteRecordsApi, 2, { topics: [{ name, partitions: [{ partitionIndex: 0, offset: 2n }] }], timeoutMs: 10_000 });
  assert.deepEqual(await ask(7, { topic: name, timestamp: EARLIEST }), ['NONE', 2n, -1n, 0]);
  assert.deepEqual(await ask(8, { topic: name, timestamp: EARLIEST_LOCAL }), ['NONE', 2n, -1n, 0]);
  assert.deepEqual(await ask(7, { topic: name, timestamp: T }), ['NONE', 2n, T + 20n, 0]);
});

test('missing partitions, wrong epochs, doubles', async () => {
  const { name } = await makeTopic(target);
  assert.equal((await ask(7, { topic: name, partition: 1, timestamp: LATEST }))[0], 'UNKNOWN_TOPIC_OR_PARTITION');
  assert.equal((await ask(7, { topic: topicName('missing'), timestamp: LATEST }))[0], 'UNKNOWN_TOPIC_OR_PARTITION');
  assert.equal((await ask(7, { topic: name, timestamp: LATEST, epoch: 0 }))[0], 'NONE');
  assert.equal((await ask(7, { topic: name, timestamp: LATEST, epoch: 1 }))[0], 'UNKNOWN_LEADER_EPOCH');
  const partition = { partitionIndex: 0, timestamp: LATEST };
  const { topics } = await target.ask(listOffsetsApi, 7, { replicaId: -1, topics: [{ name, partitions: [partition, partition] }] });
  assert.deepEqual(new Set(topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorName(errorCode)))), new Set(['INVALID_REQUEST']));
});
