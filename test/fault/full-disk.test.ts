// A disk that is full, for real: clients are refused and come back by themselves, groups and metadata go on, a crash and a clean stop on the full
// disk lose nothing. On ext4 and XFS; needs root, to mount them.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { type BrokerProcess, startBroker } from '../support/broker.js';
import { assertNothingLost } from '../support/crash-check.js';
import { type DiskKind } from '../support/disk-image.js';
import { mountedOrSkipped } from '../support/mounts.js';
import { IdempotentProducer, commitOffsetRaw, createTopicRaw, fetchOffsetRaw, findCoordinatorRaw, listTopicsRaw, readPartition } from '../support/raw-client.js';
import { SmallDisk } from '../support/small-disk.js';
import { RawConnection } from '../support/wire.js';

const TEST_TIMEOUT_MS = 600_000;
const DEADLINE_MS = 120_000;
const PARTITIONS = 100; // more than are synced one by one
const BALLAST_RECORDS = 48;
const GROUP = 'commits';

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, `this never came: ${what}`);
    await delay(10);
  }
}

const timesIn = (text: string, pattern: RegExp) => [...text.matchAll(new RegExp(pattern, 'g'))].length;

const timesFull = (broker: BrokerProcess) => timesIn(broker.output, /is full/);

const timesRoomAgain = (broker: BrokerProcess) => timesIn(broker.output, /has room again/);

/**
 * Fills the disk until the running broker has found it full, once more than `before`, and still does. What it says arrives later than what it does, and
 * by two pipes, so that the order of its lines tells nothing; but it says both in turn.
 */
async function fillUp(disk: SmallDisk, broker: BrokerProcess, before = timesFull(broker)): Promise<void> {
  await until('the broker sees that the disk is full', () => {
    disk.fill();
    return timesFull(broker) > before && timesFull(broker) > timesRoomAgain(broker);
  });
}

/** Topics whose segments can be taken away: a record a segment. */
async function writeBallast(kafka: Kafka, topics: readonly string[]): Promise<void> {
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const value = Buffer.alloc(900_000, 'x');
  for (const topic of topics) {
    for (let i = 0; i < BALLAST_RECORDS; i += 1) await producer.send({ topic, acks: -1, messages: [{ value }] });
  }
  await producer.disconnect();
}

async function withAdmin<T>(kafka: Kafka, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

async function commits(port: number, from: number, count: number): Promise<void> {
  await findCoordinatorRaw(port, GROUP);
  const connection = await RawConnection.open(port);
  try {
    for (let offset = from; offset < from + count; offset += 1) await commitOffsetRaw(connection, GROUP, 'crash', 0, offset);
    assert.equal(await fetchOffsetRaw(connection, GROUP, 'crash', 0), from + count - 1);
  } finally {
    connection.destroy();
  }
}

async function liveOn(disk: SmallDisk, broker: BrokerProcess, producer: IdempotentProducer): Promise<void> {
  const kafka = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING });
  const { port } = broker;
  await createTopicRaw(port, 'crash', PARTITIONS);
  for (const topic of ['ballast', 'more-ballast']) await createTopicRaw(port, topic, 1);
  await writeBallast(kafka, ['ballast', 'more-ballast']);
  await commits(port, 0, 10);
  producer.start();
  const goesOn = () => producer.reached(producer.acknowledged + 2000);
  await goesOn();

  await fillUp(disk, broker);
  // Whatever is no client's record goes on.
  await commits(port, 10, 200);
  await createTopicRaw(port, 'made-on-a-full-disk', 3);
  assert.equal((await readPartition(port, 'ballast', 0)).length, BALLAST_RECORDS);
  await assertNothingLost(port, 'crash', producer.counts);

  // A crash, and others take every byte that the dead broker leaves.
  await broker.kill9();
  disk.fill();
  await broker.start();
  await assertNothingLost(port, 'crash', producer.counts);
  assert.equal((await listTopicsRaw(port)).get('made-on-a-full-disk'), 3);
  await commits(port, 210, 10);

  // It may have found it full from its start on.
  await fillUp(disk, broker, 0);
  await withAdmin(kafka, async (admin) => {
    await admin.fetchTopicOffsets('ballast'); // or kafkajs knows nothing of the topic
    await admin.deleteTopicRecords({ topic: 'ballast', partitions: [{ partition: 0, offset: '-1' }] });
  });
  await goesOn();

  await fillUp(disk, broker);
  await withAdmin(kafka, (admin) => admin.deleteTopics({ topics: ['more-ballast'] }));
  await goesOn();

  await fillUp(disk, broker);
  disk.clear();
  await goesOn();
  // Records that had been acknowledged before may be all that it has seen.
  await until('the broker sees that there is room again, for the third time', () => timesRoomAgain(broker) >= 3);
  assert.doesNotMatch(broker.output, /offline/);

  await fillUp(disk, broker);
  assert.equal(await broker.stop(), 0, broker.output);
  assert.ok(!existsSync(join(broker.dataDirectory, 'journal.sluice')));
  assert.ok(existsSync(join(broker.dataDirectory, '.kafka_cleanshutdown')));
  disk.clear();
  await broker.start();
  await goesOn();
  await producer.finish();
  const found = await assertNothingLost(port, 'crash', producer.counts);
  assert.equal(found, producer.acknowledged);
  await commits(port, 220, 1);
}

for (const kind of ['ext4', 'xfs'] satisfies DiskKind[]) {
  test(`a full disk is no broken disk (${kind})`, { timeout: TEST_TIMEOUT_MS }, async (context) => {
    const disk = mountedOrSkipped(context, () => new SmallDisk(kind));
    if (disk === undefined) return;
    const broker = await startBroker({
      kind: 'sluice',
      dataDirectory: join(disk.path, 'data'),
      properties: { 'log.segment.bytes': String(1 << 20), 'log.segment.delete.delay.ms': '0', 'offsets.topic.num.partitions': '1' },
    }).catch((error: unknown) => {
      disk.dispose();
      throw error;
    });
    const producer = new IdempotentProducer({ port: broker.port, topic: 'crash', partitions: PARTITIONS, recordsPerBatch: 200 });
    try {
      await liveOn(disk, broker, producer);
    } catch (error) {
      console.log(broker.output.split('\n').slice(-40).join('\n'));
      throw error;
    } finally {
      producer.abandon();
      await broker.dispose();
      disk.dispose();
    }
  });
}
