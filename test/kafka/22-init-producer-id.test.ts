import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorName } from '../../src/protocol/errors.js';
import { initProducerIdApi } from '../../src/protocol/messages/22-init-producer-id.js';
import { type RequestInput } from '../../src/protocol/api.js';
import { type Target, startTarget } from './support/target.js';

let target: Target;
before(async () => {
  target = await startTarget();
  // Kafka's first id takes a moment.
  for (let i = 0; target.kind === 'kafka' && i < 1000; i += 1) if ((await ask(0, {})).error === 'NONE') break;
});
after(() => target.stop());

async function ask(version: number, request: RequestInput<typeof initProducerIdApi>) {
  const { errorCode, producerId, producerEpoch } = await target.ask(initProducerIdApi, version, { transactionalId: null, transactionTimeoutMs: 1000, ...request });
  return { error: errorName(errorCode), producerId, producerEpoch };
}

test('a new id each time, in every version', async () => {
  const ids = new Set<bigint>();
  for (let version = 0; version <= 5; version += 1) {
    const { error, producerId, producerEpoch } = await ask(version, {});
    assert.equal(error, 'NONE');
    assert.ok(producerId >= 0n);
    assert.equal(producerEpoch, 0);
    ids.add(producerId);
  }
  assert.equal(ids.size, 6);
});

test('a producer that names the id that it had gets a new one', async () => {
  const first = await ask(3, {});
  const second = await ask(3, { producerId: first.producerId, producerEpoch: 3 });
  assert.deepEqual([second.error, second.producerEpoch], ['NONE', 0]);
  assert.notEqual(second.producerId, first.producerId);
});

test('an id without an epoch, and an epoch without an id', async () => {
  assert.deepEqual(await ask(3, { producerId: 5n }), { error: 'INVALID_REQUEST', producerId: -1n, producerEpoch: -1 });
  assert.equal((await ask(3, { producerEpoch: 5 })).error, 'INVALID_REQUEST');
});

test('an empty transactional id, and timeouts that are too long', async () => {
  assert.equal((await ask(4, { transactionalId: '' })).error, 'INVALID_REQUEST');
  assert.equal((await ask(4, { transactionalId: 'tx', transactionTimeoutMs: 900_001 })).error, 'INVALID_TRANSACTION_TIMEOUT');
  assert.equal((await ask(4, { transactionalId: 'tx', transactionTimeoutMs: 0 })).error, 'INVALID_TRANSACTION_TIMEOUT');
});

test('transactions: an error that ends a client\'s attempts', async (context) => {
  if (target.kind === 'kafka') return context.skip('Apache Kafka has transactions');
  for (const version of [0, 5]) {
    assert.deepEqual(await ask(version, { transactionalId: 'tx' }), {
      error: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', producerId: -1n, producerEpoch: -1,
    });
  }
});
