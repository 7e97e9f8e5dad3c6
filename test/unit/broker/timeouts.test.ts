import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorName } from '../../../src/protocol/errors.js';
import { createTopicsApi, metadataApi } from '../../../src/protocol/index.js';
import { FakeBroker } from './fake-broker.js';

test('a change that takes longer than the client gives it is answered with an error, and made', async (context) => {
  const broker = await FakeBroker.start();
  context.after(() => broker.stop());
  let goOn = (): void => {};
  broker.engine.beforeAppend = () => new Promise((resolve) => void (goOn = resolve));
  // The timer alone would not keep the process going.
  const alive = setInterval(() => {}, 60_000);
  const { topics } = await broker.ask(createTopicsApi, 7, { topics: [{ name: 'slow', numPartitions: 1, replicationFactor: 1 }], timeoutMs: 1 });
  clearInterval(alive);
  assert.deepEqual(topics.map(({ name, errorCode, errorMessage }) => [name, errorName(errorCode), errorMessage]), [['slow', 'REQUEST_TIMED_OUT', null]]);
  broker.engine.beforeAppend = () => {};
  goOn();
  await broker.ask(createTopicsApi, 7, { topics: [{ name: 'next', numPartitions: 1, replicationFactor: 1 }], timeoutMs: 60_000 });
  const { topics: there } = await broker.ask(metadataApi, 9, { topics: null });
  assert.deepEqual(there.map(({ name }) => name).sort(), ['next', 'slow']);
});

test('where a client leaves no time nothing is made', async (context) => {
  const broker = await FakeBroker.start();
  context.after(() => broker.stop());
  for (const timeoutMs of [0, -1]) {
    const { topics } = await broker.ask(createTopicsApi, 7, { topics: [{ name: 'never', numPartitions: 1, replicationFactor: 1 }], timeoutMs });
    assert.equal(errorName(topics[0]!.errorCode), 'REQUEST_TIMED_OUT');
  }
  assert.deepEqual((await broker.ask(metadataApi, 9, { topics: null })).topics, []);
});
