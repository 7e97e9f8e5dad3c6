// kafkajs, which speaks only the non-flexible versions of the protocol: produce, consume, groups, admin.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { type Consumer, CompressionTypes, Kafka, logLevel, type Producer } from 'kafkajs';
import { type BrokerProcess, startBroker } from '../../support/broker.js';
import { compatSuite } from '../../support/compat.js';

const suite = compatSuite('kafkajs');
let broker: BrokerProcess;
let kafka: Kafka;
let producer: Producer;
const closers: Array<() => Promise<void>> = [];

before(async () => {
  broker = await startBroker({ properties: { 'auto.create.topics.enable': 'false' } });
  kafka = new Kafka({ clientId: 'compat', brokers: [broker.bootstrap], logLevel: logLevel.NOTHING });
  producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
});
after(async () => {
  for (const close of closers.splice(0)) await close().catch(() => {});
  await producer?.disconnect();
  await broker?.dispose();
});

async function withAdmin<T>(use: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

function createTopic(topic: string, numPartitions = 1): Promise<boolean> {
  return withAdmin((admin) => admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions, replicationFactor: 1 }] }));
}

interface Read {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Record<string, string>;
}

/** Starts a consumer that collects; `reached(n)` resolves once it has n records. */
async function startConsumer(groupId: string, topics: string[]): Promise<{ consumer: Consumer; read: Read[]; reached: (count: number) => Promise<void> }> {
  const consumer = kafka.consumer({ groupId, sessionTimeout: 10_000, heartbeatInterval: 200, maxWaitTimeInMs: 100 });
  await consumer.connect();
  closers.push(() => consumer.disconnect());
  await consumer.subscribe({ topics, fromBeginning: true });
  const read: Read[] = [];
  let wake: () => void = () => {};
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      const headers = Object.fromEntries(Object.entries(message.headers ?? {}).map(([k, v]) => [k, String(v)]));
      read.push({
        partition,
        offset: Number(message.offset),
        key: message.key?.toString() ?? null,
        value: message.value?.toString() ?? null,
        headers,
      });
      wake();
    },
  });
  const reached = async (count: number) => {
    while (read.length < count) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { consumer, read, reached };
}

/** The members' assignments, once the group is stable with that many of them. */
async function stableAssignments(groupId: string, members: number): Promise<number[][]> {
  return withAdmin(async (admin) => {
    for (;;) {
      const group = (await admin.describeGroups([groupId])).groups[0];
      if (group?.state === 'Stable' && group.members.length === members) {
        const { AssignerProtocol } = await import('kafkajs');
        return group.members
          .map((member) => Object.values(AssignerProtocol.MemberAssignment.decode(member.memberAssignment)?.assignment ?? {}).flat())
          .sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
      }
    }
  });
}

for (const [name, acks] of [['0', 0], ['1', 1], ['all', -1]] as const) {
  for (const [codec, compression] of [['none', CompressionTypes.None], ['gzip', CompressionTypes.GZIP]] as const) {
    suite.test(`round trip with codec ${codec} and acks ${name}`, async () => {
      const topic = `round-${codec}-${name}`;
      await createTopic(topic);
      const values = Array.from({ length: 100 }, (_, i) => `${topic} ${i} ${'z'.repeat(i * 7)}`);
      await producer.send({ topic, acks, compression, messages: values.map((value) => ({ value })) });
      const { read, reached, consumer } = await startConsumer(topic, [topic]);
      await reached(100);
      assert.deepEqual(read.map((each) => each.value), values);
      assert.deepEqual(read.map((each) => each.offset), values.map((_, i) => i));
      await consumer.disconnect();
    });
  }
}

suite.test('keys, headers and null values', async () => {
  await createTopic('exact');
  await producer.send({
    topic: 'exact',
    messages: [
      { key: 'k', value: 'v', headers: { h: '1', other: Buffer.from('2') } },
      { key: null, value: null },
    ],
  });
  const { read, reached, consumer } = await startConsumer('exact', ['exact']);
  await reached(2);
  assert.deepEqual(read, [
    { partition: 0, offset: 0, key: 'k', value: 'v', headers: { h: '1', other: '2' } },
    { partition: 0, offset: 1, key: null, value: null, headers: {} },
  ]);
  await consumer.disconnect();
});

suite.test('idempotent producer', async () => {
  await createTopic('idempotent', 2);
  const idempotent = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await idempotent.connect();
  for (let i = 0; i < 20; i += 1) await idempotent.send({ topic: 'idempotent', messages: [{ partition: i % 2, value: String(i) }] });
  await idempotent.disconnect();
  const { read, reached, consumer } = await startConsumer('idempotent', ['idempotent']);
  await reached(20);
  const odd = read.filter((each) => each.partition === 1).map((each) => each.value);
  assert.deepEqual(odd, Array.from({ length: 10 }, (_, i) => String(2 * i + 1)));
  await consumer.disconnect();
});

suite.test('two consumers of a group share the partitions, and rebalance when one leaves', async () => {
  await createTopic('shared', 4);
  const one = await startConsumer('shared-group', ['shared']);
  assert.deepEqual(await stableAssignments('shared-group', 1), [[0, 1, 2, 3]]);
  const two = await startConsumer('shared-group', ['shared']);
  const halves = await stableAssignments('shared-group', 2);
  assert.deepEqual(halves.map((half) => half.length), [2, 2]);
  assert.deepEqual(halves.flat().sort(), [0, 1, 2, 3]);
  const messages = Array.from({ length: 40 }, (_, i) => ({ partition: i % 4, value: `first ${i}` }));
  await producer.send({ topic: 'shared', messages });
  await Promise.all([one.reached(20), two.reached(20)]);
  await two.consumer.disconnect();
  assert.deepEqual(await stableAssignments('shared-group', 1), [[0, 1, 2, 3]]);
  await producer.send({ topic: 'shared', messages: messages.map((each) => ({ ...each, value: `second${each.value}` })) });
  await one.reached(60);
  assert.equal(new Set([...one.read, ...two.read].map((each) => each.value)).size, 80);
  await one.consumer.disconnect();
});

suite.test('a group goes on where it stopped', async () => {
  await createTopic('resumed');
  const send = (salt: string) => producer.send({ topic: 'resumed', messages: Array.from({ length: 10 }, (_, i) => ({ value: `${salt}${i}` })) });
  await send('a');
  const first = await startConsumer('resumed-group', ['resumed']);
  await first.reached(10);
  await first.consumer.stop();
  await first.consumer.disconnect();
  await send('b');
  const second = await startConsumer('resumed-group', ['resumed']);
  await second.reached(10);
  assert.deepEqual(second.read.map((each) => each.value), Array.from({ length: 10 }, (_, i) => `b${i}`));
  await second.consumer.disconnect();
});

suite.test('seek goes back to an offset', async () => {
  await createTopic('sought');
  await producer.send({ topic: 'sought', messages: Array.from({ length: 5 }, (_, i) => ({ value: String(i) })) });
  const { consumer, read, reached } = await startConsumer('sought-group', ['sought']);
  await reached(5);
  consumer.seek({ topic: 'sought', partition: 0, offset: '3' });
  await reached(7);
  assert.deepEqual(read.slice(5).map((each) => each.offset), [3, 4]);
  await consumer.disconnect();
});

suite.test('admin: topics, partitions, configs, offsets, groups, records', async () => {
  await createTopic('administered', 2);
  await producer.send({ topic: 'administered', messages: Array.from({ length: 12 }, (_, i) => ({ partition: 0, value: String(i) })) });
  await withAdmin(async (admin) => {
    assert.ok((await admin.listTopics()).includes('administered'));
    const [topic] = (await admin.fetchTopicMetadata({ topics: ['administered'] })).topics;
    assert.deepEqual(
      topic?.partitions.map((p) => ({ id: p.partitionId, leader: p.leader, isr: p.isr })).sort((a, b) => a.id - b.id),
      [0, 1].map((id) => ({ id, leader: 1, isr: [1] })),
    );
    await admin.createPartitions({ topicPartitions: [{ topic: 'administered', count: 3 }] });
    const offsets = await admin.fetchTopicOffsets('administered');
    assert.deepEqual(
      offsets.map(({ partition, low, high }) => [partition, low, high]).sort(),
      [[0, '0', '12'], [1, '0', '0'], [2, '0', '0']],
    );
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name: 'administered', configEntries: [{ name: 'retention.ms', value: '777777' }] }],
    });
    const described = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name: 'administered', configNames: ['retention.ms'] }] });
    assert.deepEqual(described.resources[0]?.configEntries.map((e) => [e.configName, e.configValue]), [['retention.ms', '777777']]);
    await admin.setOffsets({ groupId: 'administrators', topic: 'administered', partitions: [{ partition: 0, offset: '4' }] });
    const [fetched] = await admin.fetchOffsets({ groupId: 'administrators', topics: ['administered'] });
    assert.equal(fetched?.partitions.find((p) => p.partition === 0)?.offset, '4');
    assert.ok((await admin.listGroups()).groups.some((group) => group.groupId === 'administrators'));
    const deleted = await admin.deleteGroups(['administrators']);
    assert.deepEqual(deleted.map((each) => each.errorCode ?? 0), [0]);
    await admin.deleteTopicRecords({ topic: 'administered', partitions: [{ partition: 0, offset: '5' }] });
    assert.equal((await admin.fetchTopicOffsets('administered')).find((p) => p.partition === 0)?.low, '5');
    const cluster = await admin.describeCluster();
    assert.deepEqual(cluster.brokers, [{ nodeId: 1, host: '127.0.0.1', port: broker.port }]);
    await admin.deleteTopics({ topics: ['administered'] });
    assert.ok(!(await admin.listTopics()).includes('administered'));
  });
});
