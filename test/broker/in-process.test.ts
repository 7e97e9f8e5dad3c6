// Brokers inside a program: several at once, again and again on one directory, closed while clients are busy, and options that are wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Kafka, logLevel } from 'kafkajs';
import { BrokerStartError, type RunningBroker, startBroker } from '../../src/index.js';
import { withDirectory } from './support.js';

process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';

function open(directory: string): Promise<RunningBroker> {
  return startBroker({ properties: { listeners: 'PLAINTEXT://127.0.0.1:0', 'log.dirs': directory } });
}

function kafka({ ready }: RunningBroker): Kafka {
  return new Kafka({ brokers: ready.listeners.map(({ host, port }) => `${host}:${port}`), logLevel: logLevel.NOTHING, retry: { retries: 1 } });
}

async function send(broker: RunningBroker): Promise<string | undefined> {
  const producer = kafka(broker).producer();
  await producer.connect();
  const [sent] = await producer.send({ topic: 't', messages: [{ value: 'x' }] });
  await producer.disconnect();
  return sent?.baseOffset;
}

test('several brokers in one process know nothing of each other', () => withDirectory((one) => withDirectory(async (other) => {
  const brokers = await Promise.all([open(one), open(other)]);
  assert.notEqual(brokers[0].ready.clusterId, brokers[1].ready.clusterId);
  for (const broker of brokers) assert.equal(await send(broker), '0');
  await Promise.all(brokers.map((broker) => broker.close()));
})));

test('one directory, opened again and again', () => withDirectory(async (directory) => {
  for (const expected of ['0', '1', '2']) {
    const broker = await open(directory);
    await assert.rejects(open(directory), { code: 'directory-locked' });
    assert.equal(await send(broker), expected);
    await Promise.all([broker.close(), broker.close()]);
  }
}));

test('what was acknowledged while it closed is there, and nothing more', () => withDirectory(async (directory) => {
  const broker = await open(directory);
  const producer = kafka(broker).producer();
  await producer.connect();
  await producer.send({ topic: 't', messages: [{ value: 'first' }] });
  const sends = Array.from({ length: 50 }, () => producer.send({ topic: 't', acks: -1, messages: [{ value: 'x' }] }).then(() => 1, () => 0));
  await broker.close();
  const acknowledged = (await Promise.all<number>(sends)).reduce((sum, one) => sum + one, 0);
  await producer.disconnect();
  const again = await open(directory);
  const admin = kafka(again).admin();
  await admin.connect();
  const [end] = await admin.fetchTopicOffsets('t');
  await admin.disconnect();
  await again.close();
  // A record may have been written whose answer did not get out any more.
  assert.ok(Number(end?.high) >= 1 + acknowledged && Number(end?.high) <= 51, `${end?.high} records, ${acknowledged} acknowledged`);
}));

test('options that are wrong are refused before anything is opened', async () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [null, /takes \{ properties\?, log\? \}/],
    [5, /takes \{ properties\?, log\? \}/],
    [{ propertees: {} }, /no option 'propertees'; known are properties, log/],
    [{ properties: 'x' }, /properties must be an object/],
    [{ properties: { 'log.dirs': null } }, /^log\.dirs must be a string, a number or a boolean, not null$/],
    [{ properties: { x: { y: 1 } } }, /^x must be a string/],
    [{ log: {} }, /log must have the methods/],
    [{ properties: { 'num.partitions': 0 } }, /Invalid value 0 for configuration num\.partitions/],
    [{ properties: { listeners: 'SSL://:9092' } }, /serves PLAINTEXT only/],
  ];
  for (const [options, expected] of cases) {
    await assert.rejects(startBroker(options as never), (error: BrokerStartError) => {
      assert.ok(error instanceof BrokerStartError);
      assert.equal(error.code, 'configuration-invalid');
      assert.match(error.message, expected);
      return true;
    });
  }
});
