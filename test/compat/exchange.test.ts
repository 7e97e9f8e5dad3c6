// One data directory, two brokers: what Sluice wrote and stopped cleanly, an Apache Kafka broker opens and goes on with, and the
// other way round. Records, topic ids, configs, group offsets, log starts and producer sequences must all come through.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type BrokerProcess, startBroker, type TargetKind } from '../support/broker.js';
import { compatSuite } from '../support/compat.js';
import { JavaClients } from '../support/java-clients.js';
import { createTopicRaw, IdempotentProducer, readPartition } from '../support/raw-client.js';
import { makeTempDirectory, removeDirectory } from '../support/temp.js';
import { assertNothingLost } from '../support/crash-check.js';
import { validateDataDirectory } from '../support/dump-log.js';
import { assertNoDamage } from '../support/verify.js';

const suite = compatSuite('exchange');

interface Seen {
  readonly id: string;
  readonly begin: number;
  readonly end: number;
  readonly retention: string | undefined;
  readonly groupOffset: number | undefined;
  readonly clusterId: string;
}

async function withClients<T>(broker: BrokerProcess, use: (java: JavaClients) => Promise<T>): Promise<T> {
  const java = await JavaClients.start(broker.bootstrap);
  try {
    await java.create('Admin', 'admin');
    return await use(java);
  } finally {
    await java.close();
  }
}

async function look(java: JavaClients): Promise<Seen> {
  const topics = await java.call<Record<string, { id: string }>>('admin', 'describeTopics', { topics: ['kept'] });
  const offsets = await java.call<Record<string, { offset: number }>>('admin', 'listOffsets', { specs: { 'kept-0': 'earliest' } });
  const ends = await java.call<Record<string, { offset: number }>>('admin', 'listOffsets', { specs: { 'kept-0': 'latest' } });
  const configs = await java.call<Record<string, Record<string, { value: string }>>>('admin', 'describeConfigs', { type: 'TOPIC', name: 'kept' });
  const group = await java.call<Record<string, number>>('admin', 'listGroupOffsets', { group: 'readers' });
  const cluster = await java.call<{ clusterId: string }>('admin', 'describeCluster');
  return {
    id: topics['kept']?.id ?? '',
    begin: offsets['kept-0']?.offset ?? -1,
    end: ends['kept-0']?.offset ?? -1,
    retention: configs['kept']?.['retention.ms']?.value,
    groupOffset: group['kept-0'],
    clusterId: cluster.clusterId,
  };
}

/** Starts a broker of that kind on the directory, uses it, and stops it cleanly. */
async function onBroker<T>(kind: TargetKind, dataDirectory: string, use: (broker: BrokerProcess) => Promise<T>): Promise<T> {
  const broker = await startBroker({ kind, dataDirectory });
  try {
    const result = await use(broker);
    await broker.stop();
    await assertNoDamage(dataDirectory, { clean: true });
    return result;
  } finally {
    await broker.dispose();
  }
}

async function firstOwner(broker: BrokerProcess): Promise<{ seen: Seen; producer: IdempotentProducer }> {
  await createTopicRaw(broker.port, 'numbered', 2);
  const producer = new IdempotentProducer({ port: broker.port, topic: 'numbered', partitions: 2, recordsPerBatch: 5 });
  producer.start();
  await producer.reached(500);
  await producer.finish();
  const seen = await withClients(broker, async (java) => {
    await java.call('admin', 'createTopics', { topics: [{ name: 'kept', partitions: 2, replication: 1, configs: { 'retention.ms': '777000000' } }] });
    await java.create('Producer', 'producer', { 'compression.type': 'zstd' });
    await java.call('producer', 'send', { topic: 'kept', records: Array.from({ length: 60 }, (_, i) => ({ partition: 0, key: `k${i}`, value: `v${i}` })) });
    await java.call('admin', 'deleteRecords', { before: { 'kept-0': 10 } });
    await java.call('admin', 'alterGroupOffsets', { group: 'readers', offsets: { 'kept-0': 33 } });
    return look(java);
  });
  assert.deepEqual({ ...seen, id: '', clusterId: '' }, { id: '', begin: 10, end: 60, retention: '777000000', groupOffset: 33, clusterId: '' });
  return { seen, producer };
}

async function secondOwner(broker: BrokerProcess, before: Seen, producer: IdempotentProducer): Promise<void> {
  await withClients(broker, async (java) => {
    assert.deepEqual(await look(java), before);
    await java.create('Producer', 'producer');
    await java.create('Consumer', 'all', { 'auto.offset.reset': 'earliest' });
    await java.call('all', 'assign', { partitions: ['kept-0'] });
    const read = await java.call<Array<{ offset: number; value: string }>>('all', 'poll', { count: 50 });
    assert.deepEqual(read.map((each) => [each.offset, each.value]), Array.from({ length: 50 }, (_, i) => [10 + i, `v${10 + i}`]));
    const [sent] = await java.call<Array<{ offset: number }>>('producer', 'send', { topic: 'kept', records: [{ partition: 0, value: 'second' }] });
    assert.equal(sent?.offset, 60);
    await java.call('admin', 'createTopics', { topics: [{ name: 'added', partitions: 1, replication: 1 }] });
  });
  await assertNothingLost(broker.port, 'numbered', producer.counts);
}

async function thirdTurn(broker: BrokerProcess, before: Seen): Promise<void> {
  await withClients(broker, async (java) => {
    assert.deepEqual(await look(java), { ...before, end: 61 });
    assert.ok((await java.call<string[]>('admin', 'listTopics')).includes('added'));
  });
  assert.equal((await readPartition(broker.port, 'numbered', 0)).length > 0, true);
}

for (const [first, second] of [['sluice', 'kafka'], ['kafka', 'sluice']] as const) {
  suite.test(`${first} writes, ${second} goes on, ${first} goes on again`, async (context) => {
    if (process.env['SLUICE_COMPAT_TARGET'] === 'kafka') return context.skip('needs Sluice');
    const work = makeTempDirectory('exchange');
    context.after(() => removeDirectory(work));
    const data = join(work, 'data');
    const { seen, producer } = await onBroker(first, data, firstOwner);
    await onBroker(second, data, (broker) => secondOwner(broker, seen, producer));
    await onBroker(first, data, (broker) => thirdTurn(broker, seen));
    await validateDataDirectory(data, 'kafka');
  });
}
