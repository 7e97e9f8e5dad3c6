// kafkajs and @platformatic/kafka where it gets rough: restarts and kill -9 of the broker, topics made anew, large records, many
// partitions, what Sluice does not have. The plain paths are in test/kafka/clients.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import * as platformatic from '@platformatic/kafka';
import { type Consumer, Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { type BrokerProcess, startBroker, targetKind } from '../support/broker.js';
import { compatSuite } from '../support/compat.js';

const suite = compatSuite('javascript');
const TIMEOUT = { timeoutMs: targetKind() === 'kafka' ? 300_000 : 120_000 };
let broker: BrokerProcess;
let kafka: Kafka;
const closers: Array<() => Promise<unknown>> = [];
/** Of the running test: what waits in it ends with it. */
let end = new AbortController();

before(async () => {
  broker = await startBroker();
  kafka = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING, retry: { retries: 1000, initialRetryTime: 100, maxRetryTime: 500 } });
});
beforeEach(() => void (end = new AbortController()));
// No client of a test sees the broker of the next one die, and a test that failed while it was down leaves it to the next one.
afterEach(async () => {
  end.abort();
  if (broker.process.hasExited) await broker.start();
  await Promise.allSettled(closers.splice(0).map((close) => close()));
});
after(() => broker?.dispose());

async function createTopic(topic: string, numPartitions = 1, configEntries: Array<{ name: string; value: string }> = []): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }] });
  await admin.disconnect();
}

async function deleteTopic(topic: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
}

async function connectedProducer(options: Parameters<Kafka['producer']>[0] = {}): Promise<Producer> {
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, ...options });
  await producer.connect();
  closers.push(() => producer.disconnect());
  return producer;
}

interface Read {
  readonly partition: number;
  readonly offset: number;
  readonly value: string | null;
}

/** A member of a group that collects by itself. */
async function connectedConsumer(groupId: string, topic: string): Promise<{ consumer: Consumer; read: Read[] }> {
  const consumer = kafka.consumer({ groupId, sessionTimeout: 10_000, heartbeatInterval: 300, maxWaitTimeInMs: 100, maxBytesPerPartition: 12_000_000, metadataMaxAge: 500 });
  await consumer.connect();
  closers.push(() => consumer.disconnect());
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const read: Read[] = [];
  await consumer.run({
    eachMessage: async ({ partition, message }) => void read.push({ partition, offset: Number(message.offset), value: message.value === null ? null : String(message.value) }),
  });
  return { consumer, read };
}

/** Ends with its test, which has a deadline. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const { signal } = end;
  while (!(await condition())) await delay(10, undefined, { signal });
}

interface Told {
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
}

/** Sends numbers until it is told to stop, restarts the broker in between, and holds what was read against what was told. */
async function survive(send: (partition: number, value: string) => Promise<number>, readSoFar: () => readonly Read[]): Promise<void> {
  const told: Told[] = [];
  let sent = 0;
  let isDone = false;
  const feed = async (partition: number): Promise<void> => {
    while (!isDone) {
      const value = String(sent);
      sent += 1;
      told.push({ partition, value, offset: await send(partition, value) });
    }
  };
  const feeders = Promise.all([0, 1, 2].map(feed));
  const failed = feeders.then(() => false);
  const progress = async (): Promise<void> => {
    const [before, readBefore] = [told.length, readSoFar().length];
    await Promise.race([failed, until(() => told.length > before + 60 && readSoFar().length > readBefore)]);
  };
  for (const end of ['stop', 'kill9', 'kill9'] as const) {
    await progress();
    await broker[end]();
    await broker.start();
  }
  await progress();
  isDone = true;
  await feeders;
  const place = ({ partition, offset, value }: Read | Told): string => `${partition} ${offset} ${value}`;
  const expected = told.map(place).sort();
  assert.equal(expected.length, sent);
  await until(() => new Set(readSoFar().map(place)).size >= sent);
  // A group may read again what it had not committed; each value stands at one offset all the same.
  assert.deepEqual([...new Set(readSoFar().map(place))].sort(), expected);
}

suite.test('kafkajs: clean restart and kill -9 under producer and group: nothing lost, nothing twice', async () => {
  await createTopic('survive-kafkajs', 3);
  // One for each partition: a kafkajs producer with several calls in flight forgets its only broker when one of them sees the
  // connection close while another is connecting, and gives up with a TypeError.
  const producers = await Promise.all([0, 1, 2].map(() => connectedProducer({ idempotent: true, maxInFlightRequests: 1 })));
  const { read } = await connectedConsumer('survive-kafkajs', 'survive-kafkajs');
  await survive(async (partition, value) => {
    const [answer] = await producers[partition]!.send({ topic: 'survive-kafkajs', acks: -1, messages: [{ partition, value }] });
    return Number(answer?.baseOffset);
  }, () => read);
}, TIMEOUT);

suite.test('kafkajs: a topic that is deleted and made anew under its clients', async () => {
  await createTopic('again-kafkajs');
  const producer = await connectedProducer({ metadataMaxAge: 500 });
  const { read } = await connectedConsumer('again-kafkajs', 'again-kafkajs');
  await producer.send({ topic: 'again-kafkajs', messages: [{ value: 'old' }] });
  await until(() => read.length === 1);
  await deleteTopic('again-kafkajs');
  await until(() => createTopic('again-kafkajs').then(() => true, () => false));
  await until(async () => {
    await producer.send({ topic: 'again-kafkajs', messages: [{ value: 'new' }] }).catch(() => {});
    return read.some((each) => each.value === 'new');
  });
});

suite.test('kafkajs: records of 10 MB, tombstones, timestamps, pause and resume', async () => {
  await createTopic('large-kafkajs', 1, [{ name: 'max.message.bytes', value: '11000000' }]);
  const producer = await connectedProducer();
  const timestamp = String(Date.now() - 60_000);
  const values = ['x'.repeat(10_000_000), null, '', 'y'.repeat(1_000_000)];
  for (const value of values) await producer.send({ topic: 'large-kafkajs', messages: [{ key: 'k', value, timestamp }] });
  const quick = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING, retry: { retries: 1 } }).producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await quick.connect();
  await assert.rejects(quick.send({ topic: 'large-kafkajs', messages: [{ value: 'z'.repeat(12_000_000) }] }), /larger than the max message size/);
  await quick.disconnect();
  const { consumer, read } = await connectedConsumer('large-kafkajs', 'large-kafkajs');
  await until(() => read.length === 4);
  assert.deepEqual(read.map((each) => each.value), values);
  consumer.pause([{ topic: 'large-kafkajs' }]);
  await producer.send({ topic: 'large-kafkajs', messages: [{ value: 'paused' }] });
  await delay(500); // Nothing may come, however long one waits.
  assert.equal(read.length, 4);
  consumer.resume([{ topic: 'large-kafkajs' }]);
  await until(() => read.length === 5);
});

suite.test('kafkajs: topics made by producing; 1,000 partitions', async () => {
  const producer = await connectedProducer();
  await producer.send({ topic: 'auto-kafkajs', messages: [{ value: 'x' }] });
  await createTopic('wide-kafkajs', 1000);
  const messages = Array.from({ length: 3000 }, (_, i) => ({ partition: i % 1000, value: String(i) }));
  await producer.send({ topic: 'wide-kafkajs', messages });
  const { consumer, read } = await connectedConsumer('wide-kafkajs', 'wide-kafkajs');
  await until(() => new Set(read.map((each) => each.value)).size === 3000);
  await consumer.disconnect();
});

const base = () => ({ clientId: 'javascript', bootstrapBrokers: [broker.bootstrap], retries: 1000, retryDelay: 200 });

function platformaticProducer(): platformatic.Producer<string, string, string, string> {
  const producer = new platformatic.Producer({ ...base(), serializers: platformatic.stringSerializers });
  closers.push(() => producer.close());
  return producer;
}

async function platformaticReader(groupId: string, topic: string): Promise<Read[]> {
  const consumer = new platformatic.Consumer({
    ...base(), groupId, deserializers: platformatic.stringDeserializers, maxWaitTime: 100, sessionTimeout: 10_000, rebalanceTimeout: 10_000, heartbeatInterval: 300,
  });
  closers.push(async () => consumer.close(true));
  const stream = await consumer.consume({ topics: [topic], mode: platformatic.MessagesStreamModes.EARLIEST });
  const read: Read[] = [];
  stream.on('data', ({ partition, offset, value }) => void read.push({ partition, offset: Number(offset), value: value ?? null }));
  return read;
}

suite.test('platformatic: clean restart and kill -9 under producer and consumer: nothing lost, nothing twice', async () => {
  await createTopic('survive-platformatic', 3);
  const producer = platformaticProducer();
  const read = await platformaticReader('survive-platformatic', 'survive-platformatic');
  await survive(async (partition, value) => {
    const answer = await producer.send({ messages: [{ topic: 'survive-platformatic', partition, value }], idempotent: true, acks: platformatic.ProduceAcks.ALL });
    return Number(answer.offsets?.[0]?.offset);
  }, () => read);
}, TIMEOUT);

if (targetKind() !== 'kafka') {
  suite.test('kafkajs: a transactional producer fails at once', async () => {
    const producer = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING }).producer({
      transactionalId: 't', maxInFlightRequests: 1, idempotent: true, createPartitioner: Partitioners.DefaultPartitioner,
    });
    closers.push(() => producer.disconnect());
    await producer.connect();
    // Whatever error it is that FindCoordinator gives, kafkajs tells this one.
    await assert.rejects(producer.transaction(), /Failed to find group coordinator/);
  });
}
