import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorName } from '../../src/protocol/errors.js';
import { createPartitionsApi } from '../../src/protocol/messages/37-create-partitions.js';
import { offsetCommitApi } from '../../src/protocol/messages/08-offset-commit.js';
import { offsetFetchApi } from '../../src/protocol/messages/09-offset-fetch.js';
import { findCoordinatorApi } from '../../src/protocol/messages/10-find-coordinator.js';
import { metadataApi } from '../../src/protocol/messages/03-metadata.js';
import { makeTopic } from './support/names.js';
import { type Target, startTarget } from './support/target.js';

const [GROUP, TRANSACTION, SHARE] = [0, 1, 2];

let target: Target;
before(async () => {
  target = await startTarget();
  // Kafka makes the topic of the offsets while clients ask again and again.
  for (let i = 0; target.kind === 'kafka' && i < 1000; i += 1) {
    if ((await target.ask(findCoordinatorApi, 3, { key: 'g', keyType: GROUP })).errorCode === 0) break;
  }
});
after(() => target.stop());

test('the coordinator of a group, in every version', async () => {
  for (let version = 0; version <= 3; version += 1) {
    const { errorCode, nodeId, host, port } = await target.ask(findCoordinatorApi, version, { key: 'g', ...(version >= 1 ? { keyType: GROUP } : {}) });
    assert.deepEqual([errorName(errorCode), nodeId, host, port], ['NONE', 1, '127.0.0.1', target.port], `version ${version}`);
  }
  for (let version = 4; version <= 6; version += 1) {
    const { coordinators } = await target.ask(findCoordinatorApi, version, { keyType: GROUP, coordinatorKeys: ['g', 'h'] });
    assert.deepEqual(coordinators.map(({ key, errorCode, nodeId, host, port }) => [key, errorName(errorCode), nodeId, host, port]), [
      ['g', 'NONE', 1, '127.0.0.1', target.port], ['h', 'NONE', 1, '127.0.0.1', target.port],
    ]);
  }
});

test('the topic of the offsets is there then, as Kafka makes it', async () => {
  await target.ask(findCoordinatorApi, 3, { key: 'g', keyType: GROUP });
  const { topics } = await target.ask(metadataApi, 12, { topics: [{ name: '__consumer_offsets' }] });
  assert.equal(topics[0]!.isInternal, true);
  assert.equal(topics[0]!.partitions.length, 50);
});

// In both the number of partitions counts that was there at the start.
test('a group keeps its place when the topic of the offsets gets more partitions', async () => {
  const { name, id } = await makeTopic(target, 'coordinated', {});
  const groups = Array.from({ length: 20 }, (_, index) => `place-${index}`);
  const committed = async (groupId: string) => {
    const { groups: [group] } = await target.ask(offsetFetchApi, 10, { groups: [{ groupId, topics: [{ topicId: id, partitionIndexes: [0] }] }] });
    return group!.topics[0]!.partitions[0]!.committedOffset;
  };
  for (const groupId of groups) {
    // Kafka has the topic of the offsets before it has loaded it.
    let code = 'COORDINATOR_LOAD_IN_PROGRESS';
    for (let i = 0; code === 'COORDINATOR_LOAD_IN_PROGRESS' && i < 1000; i += 1) {
      const { topics } = await target.ask(offsetCommitApi, 8, { groupId, topics: [{ name, partitions: [{ partitionIndex: 0, committedOffset: 7n }] }] });
      code = errorName(topics[0]!.partitions[0]!.errorCode);
    }
    assert.equal(code, 'NONE');
  }
  const { results } = await target.ask(createPartitionsApi, 3, { topics: [{ name: '__consumer_offsets', count: 53, assignments: null }], timeoutMs: 10_000 });
  assert.equal(errorName(results[0]!.errorCode), 'NONE');
  assert.deepEqual(await Promise.all(groups.map(committed)), groups.map(() => 7n));
});

test('transactions: an error that ends a client\'s attempts', async (context) => {
  if (target.kind === 'kafka') return context.skip('Apache Kafka has transactions');
  const old = await target.ask(findCoordinatorApi, 3, { key: 'tx', keyType: TRANSACTION });
  assert.deepEqual([errorName(old.errorCode), old.nodeId, old.errorMessage], [
    'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', -1, 'Transactions are not supported by this broker.',
  ]);
  const { coordinators } = await target.ask(findCoordinatorApi, 6, { keyType: TRANSACTION, coordinatorKeys: ['tx'] });
  assert.deepEqual(coordinators.map(({ key, errorCode, nodeId, host, port }) => [key, errorName(errorCode), nodeId, host, port]), [
    ['tx', 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', -1, '', -1],
  ]);
});

test('share groups are not served', async (context) => {
  if (target.kind === 'kafka') return context.skip('Apache Kafka has share groups');
  const { coordinators } = await target.ask(findCoordinatorApi, 6, { keyType: SHARE, coordinatorKeys: ['s'] });
  assert.equal(errorName(coordinators[0]!.errorCode), 'INVALID_REQUEST');
});

test('share groups before their version', async () => {
  const { coordinators } = await target.ask(findCoordinatorApi, 5, { keyType: SHARE, coordinatorKeys: ['s'] });
  assert.equal(errorName(coordinators[0]!.errorCode), 'INVALID_REQUEST');
});
