import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorName } from '../../src/protocol/errors.js';
import { deleteRecordsApi } from '../../src/protocol/messages/21-delete-records.js';
import { findCoordinatorApi } from '../../src/protocol/messages/10-find-coordinator.js';
import { makeTopic, topicName } from './support/names.js';
import { type Target, startTarget } from './support/target.js';

let target: Target;
before(async () => {
  target = await startTarget();
});
after(() => target.stop());

async function remove(name: string, offset: bigint, partitionIndex = 0, version = 2) {
  const { topics } = await target.ask(deleteRecordsApi, version, { topics: [{ name, partitions: [{ partitionIndex, offset }] }], timeoutMs: 10_000 });
  assert.equal(topics[0]!.name, name);
  const [partition] = topics[0]!.partitions;
  return [errorName(partition!.errorCode), partition!.lowWatermark];
}

async function filledTopic(configs = {}): Promise<string> {
  const { name } = await makeTopic(target, 'records', { configs });
  await target.produce(name, 0, Array.from({ length: 10 }, (_, index) => ({ value: Buffer.from(`v${index}`), key: Buffer.from(`k${index}`) })));
  return name;
}

test('moves the start of the log, in every version, and never back', async () => {
  const name = await filledTopic();
  assert.deepEqual(await remove(name, 3n, 0, 0), ['NONE', 3n]);
  assert.deepEqual(await remove(name, 5n, 0, 1), ['NONE', 5n]);
  assert.deepEqual(await remove(name, 2n), ['NONE', 5n]);
  assert.deepEqual(await remove(name, 5n), ['NONE', 5n]);
});

test('-1 deletes everything', async () => {
  const name = await filledTopic();
  assert.deepEqual(await remove(name, -1n), ['NONE', 10n]);
});

test('offsets outside of the log', async () => {
  const name = await filledTopic();
  assert.deepEqual(await remove(name, 11n), ['OFFSET_OUT_OF_RANGE', -1n]);
  assert.deepEqual(await remove(name, -2n), ['OFFSET_OUT_OF_RANGE', -1n]);
  assert.deepEqual(await remove(name, 10n), ['NONE', 10n]);
});

test('partitions that are not there', async () => {
  const name = await filledTopic();
  assert.deepEqual(await remove(name, 1n, 3), ['UNKNOWN_TOPIC_OR_PARTITION', -1n]);
  assert.deepEqual(await remove(topicName('missing'), 1n), ['UNKNOWN_TOPIC_OR_PARTITION', -1n]);
});

test('logs that are only compacted, those that keep everything, and those of the broker itself', async () => {
  const compacted = await filledTopic({ 'cleanup.policy': 'compact' });
  assert.deepEqual(await remove(compacted, 1n), ['POLICY_VIOLATION', -1n]);
  const both = await filledTopic({ 'cleanup.policy': 'compact,delete' });
  assert.deepEqual(await remove(both, 1n), ['NONE', 1n]);
  const neither = await filledTopic({ 'cleanup.policy': '' });
  assert.deepEqual(await remove(neither, 1n), ['NONE', 1n]);
  for (let i = 0; i < 100; i += 1) {
    const { errorCode } = await target.ask(findCoordinatorApi, 3, { key: 'g', keyType: 0 });
    if (errorCode === 0) break;
  }
  assert.deepEqual(await remove('__consumer_offsets', 0n), ['INVALID_TOPIC_EXCEPTION', -1n]);
});
