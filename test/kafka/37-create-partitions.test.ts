import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorName } from '../../src/protocol/errors.js';
import { createPartitionsApi } from '../../src/protocol/messages/37-create-partitions.js';
import { metadataApi } from '../../src/protocol/messages/03-metadata.js';
import { makeTopic, topicName } from './support/names.js';
import { type Target, startTarget } from './support/target.js';

let target: Target;
before(async () => {
  target = await startTarget();
});
after(() => target.stop());

async function grow(name: string, count: number, assignments: number[][] | null = null, validateOnly = false) {
  const { results } = await target.ask(createPartitionsApi, 3, {
    topics: [{ name, count, assignments: assignments && assignments.map((brokerIds) => ({ brokerIds })) }], timeoutMs: 10_000, validateOnly,
  });
  assert.equal(results.length, 1);
  return `${errorName(results[0]!.errorCode)}: ${results[0]!.errorMessage}`;
}

async function count(name: string): Promise<number> {
  const { topics } = await target.ask(metadataApi, 9, { topics: [{ name }] });
  return topics[0]!.partitions.length;
}

test('in every version; the new partitions can be used when the answer comes', async () => {
  const { name } = await makeTopic(target, 'grow');
  for (let version = 0; version <= 3; version += 1) {
    const wanted = 2 + version * 2;
    const { results } = await target.ask(createPartitionsApi, version, { topics: [{ name, count: wanted, assignments: null }], timeoutMs: 10_000 });
    assert.deepEqual(results.map(({ name: told, errorCode, errorMessage }) => ({ told, errorCode, errorMessage })), [
      { told: name, errorCode: 0, errorMessage: null },
    ]);
    if (target.kind === 'kafka') continue;
    assert.equal(await count(name), wanted);
    await target.produce(name, wanted - 1, [{ value: Buffer.from('x') }]);
  }
});

test('each kind of wrong number, in Kafka\'s words', async () => {
  const { name } = await makeTopic(target, 'grow', { partitions: 3 });
  assert.equal(await grow(name, 3), 'INVALID_PARTITIONS: Topic already has 3 partition(s).');
  assert.equal(await grow(name, 2), `INVALID_PARTITIONS: The topic ${name} currently has 3 partition(s); 2 would not be an increase.`);
  assert.match(await grow(topicName('missing'), 3), /^UNKNOWN_TOPIC_OR_PARTITION: /);
  assert.match(await grow(name, 5, [[1]]), /^INVALID_REPLICA_ASSIGNMENT: Attempted to add 2 additional partition\(s\), but only 1 assignment\(s\) were specified\.$/);
  assert.match(await grow(name, 4, [[9]]), /^INVALID_REPLICA_ASSIGNMENT: .*broker 9/);
  assert.equal(await grow(name, 4, [[1]]), 'NONE: null');
});

test('validating only adds nothing', async () => {
  const { name } = await makeTopic(target, 'grow');
  assert.equal(await grow(name, 4, null, true), 'NONE: null');
  if (target.kind !== 'kafka') assert.equal(await count(name), 1);
});

test('a topic twice in one request', async () => {
  const { name } = await makeTopic(target, 'grow');
  const { results } = await target.ask(createPartitionsApi, 3, {
    topics: [{ name, count: 2, assignments: null }, { name, count: 3, assignments: null }], timeoutMs: 10_000,
  });
  assert.deepEqual(results.map(({ errorCode, errorMessage }) => `${errorName(errorCode)}: ${errorMessage}`), [
    'INVALID_REQUEST: Duplicate topic name.',
  ]);
});
