import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BrokerStartError } from '../../../src/broker/errors.js';
import { METADATA_TOPIC_ID } from '../../../src/metadata/ids.js';
import { apiVersionsApi, createTopicsApi, deleteTopicsApi, initProducerIdApi, metadataApi } from '../../../src/protocol/index.js';
import { errorCode } from '../../../src/protocol/errors.js';
import { parseBatches, readRecords } from '../../../src/protocol/records/batch.js';
import { decodeControlRecord } from '../../../src/protocol/records/control/index.js';
import { decodeMetadataRecord } from '../../../src/protocol/records/metadata/index.js';
import { FakeBroker } from './fake-broker.js';
import { FakeDisk } from './fake-engine.js';

function metadataLines(disk: FakeDisk): string[] {
  const log = disk.logs.get(`${METADATA_TOPIC_ID}:0`)!;
  return log.batches.flatMap(({ bytes, epoch }) => parseBatches(bytes).flatMap((batch) => readRecords(batch).map(({ key, value }) => {
    if (batch.isControl) return `${epoch} ${decodeControlRecord(key!, value!).kind}`;
    const { name, version } = decodeMetadataRecord(value!);
    return `${epoch} ${name} v${version}`;
  })));
}

const topic = (name: string, numPartitions = 1) => ({ name, numPartitions, replicationFactor: 1 });

test('the first start writes what a node of Kafka would: leader change, bootstrap, registration', async () => {
  const disk = new FakeDisk();
  const broker = await FakeBroker.start({ disk });
  assert.deepEqual(metadataLines(disk), [
    '1 leaderChange', '1 BeginTransactionRecord v0', '1 FeatureLevelRecord v0', '1 FeatureLevelRecord v0', '1 EndTransactionRecord v0',
    '1 ConfigRecord v0', '1 RegisterBrokerRecord v4', '1 BrokerRegistrationChangeRecord v0',
  ]);
  assert.deepEqual(JSON.parse(readFileSync(join(broker.directory, '__cluster_metadata-0', 'quorum-state'), 'utf8')), {
    clusterId: '', leaderId: 1, leaderEpoch: 1, votedId: -1, appliedOffset: 0, currentVoters: [{ voterId: 1 }], data_version: 0,
  });
  const { ready } = broker.running;
  assert.equal(ready.topics, 0);
  assert.equal(ready.listeners[0]!.port, 40_000);
  await broker.stop();
  assert.deepEqual(metadataLines(disk).slice(8), ['1 BrokerRegistrationChangeRecord v1', '1 BrokerRegistrationChangeRecord v0']);
});

test('topics are there again after a restart, under the next epoch, and were open before the first client', async () => {
  const disk = new FakeDisk();
  const first = await FakeBroker.start({ disk });
  const created = await first.ask(createTopicsApi, 7, { topics: [topic('first', 3), topic('second')] });
  assert.deepEqual(created.topics.map(({ name, errorCode: code, numPartitions }) => [name, code, numPartitions]), [['first', 0, 3], ['second', 0, 1]]);
  await first.stop(true);

  const second = await FakeBroker.start({ disk, directory: first.directory });
  const { calls } = second.engine;
  assert.equal(second.running.ready.topics, 2);
  assert.equal(second.running.ready.partitions, 4);
  assert.equal(calls.indexOf('open __cluster_metadata-0') < calls.findIndex((call) => call.startsWith('open first-0')), true);
  assert.equal(calls.findIndex((call) => call.startsWith('publish')) < calls.lastIndexOf('listen'), true);
  const metadata = await second.ask(metadataApi, 12, { topics: null });
  assert.deepEqual(metadata.topics.map(({ name, topicId }) => [name, topicId]).sort(), created.topics.map(({ name, topicId }) => [name, topicId]));
  assert.equal(metadataLines(disk).some((line) => line === '2 leaderChange'), true);
  await second.stop();
});

test('after a crash logs in mode os get a new leader epoch, those in mode fsync keep theirs', async () => {
  const disk = new FakeDisk();
  const first = await FakeBroker.start({ disk });
  await first.ask(createTopicsApi, 7, {
    topics: [{ ...topic('relaxed'), configs: [{ name: 'sluice.durability', value: 'os' }] }, topic('safe')],
  });
  await first.stop(true);
  disk.isClean = false;
  const second = await FakeBroker.start({ disk, directory: first.directory });
  const { topics } = await second.ask(metadataApi, 12, { topics: null });
  assert.deepEqual(topics.map(({ name, partitions }) => [name, partitions[0]!.leaderEpoch]).sort(), [['relaxed', 1], ['safe', 0]]);
  const opened = [...disk.logs.values()].find((log) => log.topic === 'relaxed')!;
  assert.equal(opened.spec.leaderEpoch, 1);
  await second.stop(true);
  const third = await FakeBroker.start({ disk, directory: first.directory });
  const again = await third.ask(metadataApi, 12, { topics: [{ name: 'relaxed' }] });
  assert.equal(again.topics[0]!.partitions[0]!.leaderEpoch, 1);
  await third.stop();
});

test('a deleted topic is gone from the data plane and the disk, and stays gone', async () => {
  const disk = new FakeDisk();
  const first = await FakeBroker.start({ disk });
  const { topics } = await first.ask(createTopicsApi, 7, { topics: [topic('a', 2)] });
  assert.equal(first.engine.published.size, 1);
  const deleted = await first.ask(deleteTopicsApi, 6, { topics: [{ name: null, topicId: topics[0]!.topicId }], timeoutMs: 60_000 });
  assert.deepEqual(deleted.responses.map(({ errorCode: code, name }) => [code, name]), [[0, 'a']]);
  assert.equal(first.engine.published.size, 0);
  assert.equal([...disk.logs.values()].some((log) => log.topic === 'a'), false);
  await first.stop(true);
  const second = await FakeBroker.start({ disk, directory: first.directory });
  assert.equal(second.running.ready.topics, 0);
  await second.stop();
});

test('producer ids are never given twice, not even across restarts', async () => {
  const disk = new FakeDisk();
  const first = await FakeBroker.start({ disk });
  const ids = new Set<bigint>();
  const ask = async (broker: FakeBroker) => {
    const { producerId, producerEpoch, errorCode: code } = await broker.ask(initProducerIdApi, 5, { transactionalId: null });
    assert.equal(code, 0);
    assert.equal(producerEpoch, 0);
    ids.add(producerId);
  };
  await Promise.all(Array.from({ length: 1500 }, () => ask(first)));
  await first.stop(true);
  const second = await FakeBroker.start({ disk, directory: first.directory });
  await Promise.all(Array.from({ length: 10 }, () => ask(second)));
  assert.equal(ids.size, 1510);
  await second.stop();
});

test('a partition whose log does not open is offline, the others are served', async () => {
  const disk = new FakeDisk();
  const first = await FakeBroker.start({ disk });
  await first.ask(createTopicsApi, 7, { topics: [topic('a', 2)] });
  await first.stop(true);
  const second = await FakeBroker.start({
    disk, directory: first.directory,
    prepare: (engine) => {
      engine.openOutcome = ({ topic: name, partition }) =>
        (name === 'a' && partition === 1 ? { code: 'corrupt', message: 'a gap at offset 7' } : null);
    },
  });
  assert.equal(second.running.ready.offlinePartitions, 1);
  assert.ok(second.log.lines.includes('error a-1 is offline: a gap at offset 7'));
  const { topics } = await second.ask(metadataApi, 12, { topics: [{ name: 'a' }] });
  assert.deepEqual(topics[0]!.partitions.map(({ errorCode: code, leaderId, offlineReplicas }) => ({ code, leaderId, offlineReplicas })), [
    { code: 0, leaderId: 1, offlineReplicas: [] }, { code: errorCode('LEADER_NOT_AVAILABLE'), leaderId: -1, offlineReplicas: [1] },
  ]);
  assert.deepEqual([...second.engine.published.values()][0]!.partitions, [{ index: 0, leaderEpoch: 0 }]);
  await second.stop();
});

test('a metadata log that cannot be written fails the request, and the broker goes on', async () => {
  const broker = await FakeBroker.start();
  broker.engine.beforeAppend = () => {
    throw Object.assign(new Error('segment write: No space left on device'), { code: 'no_space' });
  };
  const failed = await broker.ask(createTopicsApi, 7, { topics: [topic('a')] });
  assert.equal(failed.topics[0]!.errorCode, errorCode('KAFKA_STORAGE_ERROR'));
  broker.engine.beforeAppend = () => {};
  const { topics } = await broker.ask(createTopicsApi, 7, { topics: [topic('a')] });
  assert.equal(topics[0]!.errorCode, 0);
  await broker.stop();
});

test('a body that cannot be read closes the connection, and says why', async () => {
  const broker = await FakeBroker.start();
  await assert.rejects(broker.askRaw(createTopicsApi, 7, Buffer.from([0xff, 0xff, 0xff])), /connection closed: CreateTopics version 7 cannot be read/);
  assert.equal(broker.engine.closed.size, 1);
  await assert.rejects(broker.askRaw(createTopicsApi, 99, Buffer.alloc(0)), /has no version 99/);
  const answer = await broker.askRaw(apiVersionsApi, 99, Buffer.alloc(0), 0);
  assert.equal(answer.errorCode, errorCode('UNSUPPORTED_VERSION'));
  assert.deepEqual(answer.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, minVersion, maxVersion]), [[18, 0, 5]]);
  await broker.stop();
});

test('a directory of a newer metadata.version, or of other voters, is refused in one line', async () => {
  const disk = new FakeDisk();
  const first = await FakeBroker.start({ disk });
  await first.stop(true);
  const quorumState = join(first.directory, '__cluster_metadata-0', 'quorum-state');
  const good = readFileSync(quorumState, 'utf8');
  writeFileSync(quorumState, good.replace('"voterId":1', '"voterId":7'));
  await assert.rejects(FakeBroker.start({ disk, directory: first.directory }), (error: BrokerStartError) => {
    assert.equal(error.code, 'directory-damaged');
    assert.match(error.message, /names the voters 7/);
    return true;
  });
  writeFileSync(quorumState, good);
  const second = await FakeBroker.start({ disk, directory: first.directory });
  await second.stop();
});
