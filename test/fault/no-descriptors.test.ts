// A process that may open no more files: a topic made then is there, its partitions are offline, and they are served once there are descriptors again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Kafka, logLevel } from 'kafkajs';
import { metadataApi } from '../../src/protocol/index.js';
import { startBroker } from '../support/broker.js';
import { until } from '../support/churn-world.js';
import { descriptors } from '../support/hostile.js';
import { KafkaClient } from '../support/kafka-client.js';
import { run } from '../support/process.js';
import { createTopicRaw, readPartition } from '../support/raw-client.js';

const PARTITIONS = 40;
const PLENTY = 4096;

test('partitions made without descriptors are served when there are some', { timeout: 120_000 }, async (context) => {
  const broker = await startBroker({ kind: 'sluice' });
  context.after(() => broker.dispose());
  const limit = async (openFiles: number) => {
    const { exitCode, stderr } = await run('prlimit', ['--pid', String(broker.pid), `--nofile=${openFiles}:${PLENTY}`]);
    assert.equal(exitCode, 0, stderr);
  };
  const client = await KafkaClient.connect(broker.port);
  context.after(() => client.close());
  const leaderless = async () => {
    const { topics } = await client.ask(metadataApi, 12, { topics: [{ name: 'crowded' }] });
    return topics[0]!.partitions.filter(({ leaderId }) => leaderId === -1).length;
  };
  const opened = descriptors(broker.pid);
  await limit(opened + 24);
  await createTopicRaw(broker.port, 'crowded', PARTITIONS);
  assert.ok(await leaderless() > 0, `${opened} descriptors before, ${descriptors(broker.pid)} after`);
  await limit(PLENTY);
  await until('all partitions are served', async () => ((await leaderless()) === 0 ? true : undefined));

  const producer = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING }).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const messages = Array.from({ length: PARTITIONS }, (_, partition) => ({ partition, value: `of ${partition}` }));
  await producer.send({ topic: 'crowded', acks: -1, messages });
  await producer.disconnect();
  await broker.kill9();
  await broker.start();
  for (const { partition, value } of messages) {
    const records = await readPartition(broker.port, 'crowded', partition);
    assert.deepEqual(records.map((record) => record.value.toString()), [value]);
  }
});
