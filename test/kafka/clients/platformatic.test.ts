// @platformatic/kafka, which speaks only the newest, flexible versions of the protocol: produce, consume, groups, admin.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import {
  Admin,
  type CompressionAlgorithmValue,
  compressionsAlgorithms,
  ConfigResourceTypes,
  Consumer,
  type MessagesStream,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka';
import { type BrokerProcess, startBroker } from '../../support/broker.js';
import { compatSuite } from '../../support/compat.js';

const suite = compatSuite('platformatic');
/** Record timestamps: recent, so that retention has no say. */
const base = Date.now() - 3_600_000;
let broker: BrokerProcess;
let admin: Admin;
let producer: Producer<string, string, string, string>;
const consumers = new Set<Consumer<string, string, string, string>>();

before(async () => {
  broker = await startBroker({ properties: { 'auto.create.topics.enable': 'false' } });
  const base = { clientId: 'compat', bootstrapBrokers: [broker.bootstrap] };
  admin = new Admin(base);
  producer = new Producer({ ...base, serializers: stringSerializers });
});
after(async () => {
  await Promise.allSettled([...consumers].map((consumer) => consumer.close(true)));
  await producer?.close();
  await admin?.close();
  await broker?.dispose();
});

async function createTopic(name: string, partitions = 1): Promise<void> {
  await admin.createTopics({ topics: [name], partitions, replicas: 1 });
}

interface Read {
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string | null | undefined;
  readonly value: string | null | undefined;
  readonly headers: Array<[string, string]>;
}

interface Reader {
  readonly consumer: Consumer<string, string, string, string>;
  readonly read: Read[];
  readonly reached: (count: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

async function startReader(groupId: string, topic: string, mode: 'earliest' | 'committed' = 'earliest'): Promise<Reader> {
  const consumer = new Consumer<string, string, string, string>({
    clientId: 'compat',
    bootstrapBrokers: [broker.bootstrap],
    groupId,
    deserializers: stringDeserializers,
    maxWaitTime: 100,
    sessionTimeout: 10_000,
    rebalanceTimeout: 10_000,
    heartbeatInterval: 200,
  });
  consumers.add(consumer);
  const stream: MessagesStream<string, string, string, string> = await consumer.consume({
    topics: [topic],
    mode,
    fallbackMode: 'earliest',
    autocommit: false,
  });
  const read: Read[] = [];
  let wake: () => void = () => {};
  stream.on('data', ({ partition, offset, key, value, headers }) => {
    read.push({ partition, offset, key, value, headers: [...headers] });
    wake();
  });
  const reached = async (count: number) => {
    while (read.length < count) await new Promise<void>((resolve) => (wake = resolve));
  };
  const close = async () => {
    await stream.close();
    await consumer.close();
    consumers.delete(consumer);
  };
  return { consumer, read, reached, close };
}

const codecs = Object.entries(compressionsAlgorithms)
  .filter(([, codec]) => codec.available)
  .map(([name]) => name as CompressionAlgorithmValue)
  .filter((name) => name !== 'zstd'); // Only newer versions of Node have it, and the list of what passes is one for all.

for (const compression of codecs) {
  suite.test(`round trip with codec ${compression}`, async () => {
    const topic = `codec-${compression}`;
    await createTopic(topic);
    const messages = Array.from({ length: 100 }, (_, i) => ({ topic, value: `${topic} ${i} ${'q'.repeat(i * 9)}` }));
    const sent = await producer.send({ messages, compression, acks: -1 });
    assert.deepEqual(sent.offsets, [{ topic, partition: 0, offset: 0n }]);
    const reader = await startReader(topic, topic);
    await reader.reached(100);
    assert.deepEqual(reader.read.map((each) => each.value), messages.map((each) => each.value));
    assert.deepEqual(reader.read.map((each) => each.offset), messages.map((_, i) => BigInt(i)));
    await reader.close();
  });
}

for (const acks of [0, 1] as const) {
  suite.test(`round trip with acks ${acks}`, async () => {
    const topic = `acks-${acks}`;
    await createTopic(topic);
    const messages = Array.from({ length: 20 }, (_, i) => ({ topic, key: `k${i}`, value: String(i), headers: { h: String(i) } }));
    await producer.send({ messages, acks });
    const reader = await startReader(topic, topic);
    await reader.reached(20);
    assert.deepEqual(
      reader.read,
      messages.map(({ key, value }, i) => ({ partition: 0, offset: BigInt(i), key, value, headers: [['h', value]] })),
    );
    await reader.close();
  });
}

suite.test('idempotent producer', async () => {
  await createTopic('idempotent');
  const idempotent = new Producer({
    clientId: 'idempotent',
    bootstrapBrokers: [broker.bootstrap],
    serializers: stringSerializers,
    idempotent: true,
  });
  for (let i = 0; i < 20; i += 1) await idempotent.send({ messages: [{ topic: 'idempotent', value: String(i) }] });
  assert.ok((idempotent.producerId ?? -1n) >= 0n);
  await idempotent.close();
  const reader = await startReader('idempotent', 'idempotent');
  await reader.reached(20);
  assert.deepEqual(reader.read.map((each) => each.value), Array.from({ length: 20 }, (_, i) => String(i)));
  await reader.close();
});

async function assignments(groupId: string, members: number): Promise<number[][]> {
  for (;;) {
    const group = (await admin.describeGroups({ groups: [groupId] })).get(groupId);
    const held = [...(group?.members.values() ?? [])].map((member) =>
      [...(member.assignments?.values() ?? [])].flatMap((each) => each.partitions).sort(),
    );
    if (group?.state === 'STABLE' && held.length === members) return held.sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
  }
}

suite.test('two consumers of a group share the partitions, and rebalance when one leaves', async () => {
  await createTopic('shared', 4);
  const one = await startReader('shared-group', 'shared');
  assert.deepEqual(await assignments('shared-group', 1), [[0, 1, 2, 3]]);
  const two = await startReader('shared-group', 'shared');
  const halves = await assignments('shared-group', 2);
  assert.deepEqual(halves.map((half) => half.length), [2, 2]);
  assert.deepEqual(halves.flat().sort(), [0, 1, 2, 3]);
  await two.close();
  assert.deepEqual(await assignments('shared-group', 1), [[0, 1, 2, 3]]);
  const messages = Array.from({ length: 40 }, (_, i) => ({ topic: 'shared', partition: i % 4, value: String(i) }));
  await producer.send({ messages });
  await one.reached(40);
  assert.equal(new Set(one.read.map((each) => each.value)).size, 40);
  await one.close();
});

suite.test('a group goes on from its committed offset', async () => {
  await createTopic('resumed');
  await producer.send({ messages: Array.from({ length: 10 }, (_, i) => ({ topic: 'resumed', value: String(i) })) });
  const first = await startReader('resumed-group', 'resumed', 'committed');
  await first.reached(10);
  await first.consumer.commit({ offsets: [{ topic: 'resumed', partition: 0, offset: 7n, leaderEpoch: 0 }] });
  assert.deepEqual(
    await first.consumer.listCommittedOffsets({ topics: [{ topic: 'resumed', partitions: [0] }] }),
    new Map([['resumed', [7n]]]),
  );
  await first.close();
  const second = await startReader('resumed-group', 'resumed', 'committed');
  await second.reached(3);
  assert.deepEqual(second.read.map((each) => each.offset), [7n, 8n, 9n]);
  await second.close();
});

suite.test('admin: topics, partitions, configs, offsets, groups, records', async () => {
  await createTopic('administered', 2);
  await producer.send({
    messages: Array.from({ length: 12 }, (_, i) => ({ topic: 'administered', partition: 0, value: String(i), timestamp: BigInt(base + i) })),
  });
  assert.ok((await admin.listTopics()).includes('administered'));
  const metadata = await admin.metadata({ topics: ['administered'] });
  assert.deepEqual(
    metadata.topics.get('administered')?.partitions.map((p) => [p.leader, p.replicas, p.isr ?? [1]]),
    [0, 1].map(() => [1, [1], [1]]),
  );
  await admin.createPartitions({ topics: [{ name: 'administered', count: 3, assignments: [{ brokerIds: [1] }] }] });
  const ask = async (timestamp: bigint) => {
    const [topic] = await admin.listOffsets({ topics: [{ name: 'administered', partitions: [{ partitionIndex: 0, timestamp }] }] });
    return topic?.partitions[0]?.offset;
  };
  assert.equal(await ask(-2n), 0n);
  assert.equal(await ask(-1n), 12n);
  assert.equal(await ask(BigInt(base + 4)), 4n);
  await admin.incrementalAlterConfigs({
    resources: [{
      resourceType: ConfigResourceTypes.TOPIC,
      resourceName: 'administered',
      configs: [{ name: 'retention.ms', configOperation: 0, value: '777777' }],
    }],
  });
  const [described] = await admin.describeConfigs({
    resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: 'administered', configurationKeys: ['retention.ms'] }],
  });
  assert.deepEqual(described?.configs.map((each) => [each.name, each.value]), [['retention.ms', '777777']]);
  await admin.alterConsumerGroupOffsets({
    groupId: 'administrators',
    topics: [{ name: 'administered', partitionOffsets: [{ partition: 0, offset: 4n }] }],
  });
  const [offsets] = await admin.listConsumerGroupOffsets({ groups: ['administrators'] });
  assert.deepEqual(offsets?.topics[0]?.partitions.map((each) => each.committedOffset), [4n]);
  assert.equal((await admin.listGroups()).get('administrators')?.state, 'EMPTY');
  await admin.deleteGroups({ groups: ['administrators'] });
  assert.equal((await admin.listGroups()).has('administrators'), false);
  const [trimmed] = await admin.deleteRecords({ topics: [{ name: 'administered', partitions: [{ partition: 0, offset: 5n }] }] });
  assert.deepEqual(trimmed?.partitions, [{ partition: 0, lowWatermark: 5n }]);
  await admin.deleteTopics({ topics: ['administered'] });
  assert.ok(!(await admin.listTopics()).includes('administered'));
});
