import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { BrokerStartError } from '../../src/broker/errors.js';
import {
  createPartitionsApi, createTopicsApi, deleteTopicsApi, describeConfigsApi, findCoordinatorApi, incrementalAlterConfigsApi,
  initProducerIdApi, listOffsetsApi, metadataApi, offsetCommitApi, offsetFetchApi, produceApi,
} from '../../src/protocol/index.js';
import { errorName } from '../../src/protocol/errors.js';
import { buildBatch } from '../../src/protocol/records/batch.js';
import { type KafkaClient } from '../support/kafka-client.js';
import { openBroker, withDirectory } from './support.js';

async function createTopic(client: KafkaClient, name: string, partitions = 1, configs: Record<string, string> = {}): Promise<string> {
  const { topics } = await client.ask(createTopicsApi, 7, {
    topics: [{ name, numPartitions: partitions, replicationFactor: 1, configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })) }],
  });
  assert.equal(errorName(topics[0]!.errorCode), 'NONE');
  return topics[0]!.topicId;
}

async function produce(client: KafkaClient, name: string, ...values: string[]): Promise<void> {
  const batch = buildBatch({ records: values.map((value) => ({ value: Buffer.from(value) })), timestamp: BigInt(Date.now()) });
  const { responses } = await client.ask(produceApi, 9, {
    acks: -1, timeoutMs: 10_000, topicData: [{ name, partitionData: [{ index: 0, records: batch }] }],
  });
  assert.equal(errorName(responses[0]!.partitionResponses[0]!.errorCode), 'NONE');
}

async function endOf(client: KafkaClient, name: string): Promise<bigint> {
  const { topics } = await client.ask(listOffsetsApi, 7, { replicaId: -1, topics: [{ name, partitions: [{ partitionIndex: 0, timestamp: -1n }] }] });
  return topics[0]!.partitions[0]!.offset;
}

test('everything that was told is there after a clean stop', () => withDirectory(async (directory) => {
  const first = await openBroker(directory, { 'offsets.topic.num.partitions': '3' });
  const { client } = first;
  const id = await createTopic(client, 'kept', 3, { 'retention.ms': '123456' });
  await createTopic(client, 'dropped');
  await client.ask(deleteTopicsApi, 6, { topics: [{ name: 'dropped' }], timeoutMs: 10_000 });
  await client.ask(createPartitionsApi, 3, { topics: [{ name: 'kept', count: 5, assignments: null }], timeoutMs: 10_000 });
  await client.ask(incrementalAlterConfigsApi, 1, {
    resources: [{ resourceType: 4, resourceName: '', configs: [{ name: 'log.retention.ms', configOperation: 0, value: '777' }] }],
  });
  await produce(client, 'kept', 'a', 'b', 'c');
  const { producerId } = await client.ask(initProducerIdApi, 4, { transactionalId: null });
  await client.ask(findCoordinatorApi, 3, { key: 'g', keyType: 0 });
  const committed = await client.ask(offsetCommitApi, 8, {
    groupId: 'g', generationIdOrMemberEpoch: -1, topics: [{ name: 'kept', partitions: [{ partitionIndex: 0, committedOffset: 2n, committedMetadata: 'm' }] }],
  });
  assert.equal(errorName(committed.topics[0]!.partitions[0]!.errorCode), 'NONE');
  const { clusterId } = first.broker.ready;
  await first.close();
  assert.ok(existsSync(join(directory, '.kafka_cleanshutdown')));

  const second = await openBroker(directory);
  try {
    const again = second.client;
    assert.equal(second.broker.ready.clusterId, clusterId);
    assert.equal(second.broker.ready.offlinePartitions, 0);
    const { topics } = await again.ask(metadataApi, 12, { topics: [{ name: 'kept' }, { name: 'dropped' }], allowAutoTopicCreation: false });
    const [kept, dropped] = ['kept', 'dropped'].map((name) => topics.find((topic) => topic.name === name)!);
    assert.deepEqual([kept!.topicId, kept!.partitions.length, errorName(dropped!.errorCode)], [id, 5, 'UNKNOWN_TOPIC_OR_PARTITION']);
    assert.equal(await endOf(again, 'kept'), 3n);
    const { results } = await again.ask(describeConfigsApi, 4, {
      resources: [{ resourceType: 2, resourceName: 'kept', configurationKeys: ['retention.ms'] }, { resourceType: 4, resourceName: '1', configurationKeys: ['log.retention.ms'] }],
    });
    assert.deepEqual(results.map(({ configs }) => configs[0]!.value), ['123456', '777']);
    assert.notEqual((await again.ask(initProducerIdApi, 4, { transactionalId: null })).producerId, producerId);
    let fetched = await again.ask(offsetFetchApi, 7, { groupId: 'g', topics: [{ name: 'kept', partitionIndexes: [0] }] });
    for (let i = 0; errorName(fetched.errorCode) === 'COORDINATOR_LOAD_IN_PROGRESS' && i < 1000; i += 1) {
      fetched = await again.ask(offsetFetchApi, 7, { groupId: 'g', topics: [{ name: 'kept', partitionIndexes: [0] }] });
    }
    assert.equal(fetched.topics[0]!.partitions[0]!.committedOffset, 2n);
  } finally {
    await second.close();
  }
}));

test('a directory that is open elsewhere is refused in one line, and nothing happens to it', () => withDirectory(async (directory) => {
  const first = await openBroker(directory);
  await createTopic(first.client, 'mine');
  await assert.rejects(openBroker(directory), (error: BrokerStartError) => {
    assert.equal(error.code, 'directory-locked');
    assert.ok(error.message.includes(directory));
    assert.ok(!error.message.includes('\n'));
    return true;
  });
  await produce(first.client, 'mine', 'still works');
  await first.close();
}));

test('a port that is taken ends the start in one line, and the directory can be opened again', () => withDirectory(async (directory) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  await assert.rejects(openBroker(directory, { listeners: `PLAINTEXT://127.0.0.1:${port}` }), (error: BrokerStartError) => {
    assert.equal(error.code, 'listener-unusable');
    assert.ok(error.message.includes(`127.0.0.1:${port}`));
    assert.ok(!error.message.includes('\n'));
    return true;
  });
  await new Promise((resolve) => other.close(resolve));
  const broker = await openBroker(directory, { listeners: `PLAINTEXT://127.0.0.1:${port}` });
  assert.equal(broker.broker.ready.listeners[0]!.port, port);
  await broker.close();
}));

test('two listeners, each telling its own address', () => withDirectory(async (directory) => {
  const { broker, client, close } = await openBroker(directory, {
    listeners: 'PLAINTEXT://127.0.0.1:0,OTHER://127.0.0.1:0',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,OTHER:PLAINTEXT',
    'advertised.listeners': 'PLAINTEXT://127.0.0.1:0,OTHER://other.example:7777',
  });
  const { brokers } = await client.ask(metadataApi, 9, { topics: [] });
  assert.deepEqual(brokers.map(({ host, port }) => [host, port]), [['127.0.0.1', broker.ready.listeners[0]!.port]]);
  assert.deepEqual(broker.ready.listeners[1], { name: 'OTHER', host: 'other.example', port: 7777 });
  await close();
}));

test('a folder that belongs to no topic is set aside, not deleted', () => withDirectory(async (directory) => {
  const first = await openBroker(directory);
  await createTopic(first.client, 'known');
  await first.close();
  const { mkdirSync, writeFileSync, readdirSync } = await import('node:fs');
  mkdirSync(join(directory, 'foreign-0'));
  writeFileSync(join(directory, 'foreign-0', '00000000000000000000.log'), '');
  const second = await openBroker(directory);
  assert.ok(second.log.lines.some((line) => line.startsWith('warn ') && line.includes('foreign-0')));
  assert.ok(readdirSync(directory).some((name) => name.startsWith('foreign-0') && name.endsWith('-stray')));
  assert.equal(second.broker.ready.topics, 1);
  await second.close();
}));

test('three hundred partitions, made, found again, and taken away', () => withDirectory(async (directory) => {
  const first = await openBroker(directory);
  await createTopic(first.client, 'wide', 300);
  await produce(first.client, 'wide', 'x');
  await first.close();
  const second = await openBroker(directory);
  assert.equal(second.broker.ready.partitions, 300);
  const { topics } = await second.client.ask(metadataApi, 12, { topics: [{ name: 'wide' }] });
  assert.equal(topics[0]!.partitions.filter(({ errorCode }) => errorCode === 0).length, 300);
  const deleted = await second.client.ask(deleteTopicsApi, 6, { topics: [{ name: 'wide' }], timeoutMs: 10_000 });
  assert.equal(errorName(deleted.responses[0]!.errorCode), 'NONE');
  await second.close();
  assert.match(readFileSync(join(directory, 'recovery-point-offset-checkpoint'), 'utf8'), /^0\n\d+\n/);
}));
