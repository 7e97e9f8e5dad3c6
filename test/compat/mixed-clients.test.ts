// Clients of different makes on one topic: what one writes the others read, in every codec, and their groups do not disturb
// each other.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { type Consumer, Kafka, logLevel } from 'kafkajs';
import { type BrokerProcess, startBroker } from '../support/broker.js';
import { compatSuite } from '../support/compat.js';
import { JavaClients } from '../support/java-clients.js';
import { kcat } from '../support/kcat.js';

const suite = compatSuite('mixed-clients');
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
let broker: BrokerProcess;
let java: JavaClients;

before(async () => {
  broker = await startBroker();
  java = await JavaClients.start(broker.bootstrap);
  await java.create('Admin', 'admin');
});
after(async () => {
  await java?.close();
  await broker?.dispose();
});

function lines(salt: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${salt} ${i} ${'text '.repeat(i % 30)}`);
}

suite.test('kcat and the Java producer write in all codecs, and both read all of it', async () => {
  await java.call('admin', 'createTopics', { topics: [{ name: 'all', partitions: 1, replication: 1 }] });
  const expected: string[] = [];
  for (const codec of codecs) {
    const fromKcat = lines(`kcat ${codec}`, 100);
    const sent = await kcat(broker.bootstrap, ['-P', '-t', 'all', '-p', '0', '-z', codec], { input: fromKcat.map((line) => `${line}\n`).join('') });
    assert.equal(sent.exitCode, 0, sent.stderr);
    const fromJava = lines(`java ${codec}`, 100);
    await java.create('Producer', `producer-${codec}`, { 'compression.type': codec, 'linger.ms': '10' });
    await java.call(`producer-${codec}`, 'send', { topic: 'all', records: fromJava.map((value) => ({ partition: 0, value })) });
    expected.push(...fromKcat, ...fromJava);
  }
  await java.create('Consumer', 'reader', { 'auto.offset.reset': 'earliest' });
  await java.call('reader', 'assign', { partitions: ['all-0'] });
  const byJava = await java.call<Array<{ value: string }>>('reader', 'poll', { count: expected.length });
  assert.deepEqual(byJava.map((each) => each.value), expected);
  const byKcat = await kcat(broker.bootstrap, ['-C', '-t', 'all', '-p', '0', '-o', 'beginning', '-c', String(expected.length), '-q', '-X', 'check.crcs=true']);
  assert.equal(byKcat.exitCode, 0, byKcat.stderr);
  assert.deepEqual(byKcat.stdout.split('\n').slice(0, -1), expected);
});

suite.test('two kafkajs consumers rebalance when one leaves, while a Java consumer reads the topic in another group', async () => {
  const partitions = 4;
  await java.call('admin', 'createTopics', { topics: [{ name: 'shared', partitions, replication: 1 }] });
  const kafka = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING });
  const read: string[] = [];
  const start = async (): Promise<Consumer> => {
    const consumer = kafka.consumer({ groupId: 'js', heartbeatInterval: 200, sessionTimeout: 10_000, maxWaitTimeInMs: 100 });
    await consumer.connect();
    await consumer.subscribe({ topics: ['shared'], fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }) => void read.push(String(message.value)) });
    return consumer;
  };
  const members = async (): Promise<string[][]> => {
    for (;;) {
      const groups = await java.call<Record<string, { state: string; members: Array<{ assignment: string[] }> }>>('admin', 'describeGroups', { groups: ['js'] });
      const group = groups['js'];
      if (group?.state === 'Stable') return group.members.map((member) => member.assignment);
    }
  };
  const until = async (size: number): Promise<string[][]> => {
    for (;;) {
      const held = await members();
      if (held.length === size) return held;
    }
  };
  const [one, two] = [await start(), await start()];
  assert.deepEqual((await until(2)).map((held) => held.length), [2, 2]);
  await java.create('Consumer', 'other', { 'group.id': 'java', 'auto.offset.reset': 'earliest' });
  await java.call('other', 'subscribe', { topics: ['shared'] });
  await java.create('Producer', 'feeder');
  const send = (salt: string) =>
    java.call('feeder', 'send', { topic: 'shared', records: lines(salt, 40).map((value, i) => ({ partition: i % partitions, value })) });
  await send('before');
  assert.equal((await java.call<unknown[]>('other', 'poll', { count: 40 })).length, 40);
  await two.disconnect();
  assert.equal((await until(1))[0]?.length, partitions);
  await send('after');
  assert.equal((await java.call<unknown[]>('other', 'poll', { count: 40 })).length, 40);
  while (new Set(read).size < 80) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual([...new Set(read)].sort(), [...lines('before', 40), ...lines('after', 40)].sort());
  await one.disconnect();
  await java.call('other', 'close');
});
