// Apache Kafka's Java producer and consumer: codecs, acks, idempotence, headers, groups, seeking, offsets by time.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { type BrokerProcess, startBroker } from '../support/broker.js';
import { compatSuite } from '../support/compat.js';
import { JavaClients } from '../support/java-clients.js';

const suite = compatSuite('java-producer-consumer');
/** Record timestamps: recent, so that retention has no say. */
const base = Date.now() - 3_600_000;
let broker: BrokerProcess;
let java: JavaClients;
let names = 0;

interface Sent {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly error?: string;
}

interface Read {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly timestampType: string;
  readonly key: string | null;
  readonly value: string | null;
  readonly leaderEpoch: number;
  readonly headers: Array<[string, string | null]>;
}

interface Outgoing {
  readonly partition?: number;
  readonly timestamp?: number;
  readonly key?: string | null;
  readonly value?: string | null;
  readonly headers?: Array<[string, string | null]>;
}

before(async () => {
  broker = await startBroker({ properties: { 'auto.create.topics.enable': 'false' } });
  java = await JavaClients.start(broker.bootstrap);
  await java.create('Admin', 'admin');
});
after(async () => {
  await java?.close();
  await broker?.dispose();
});

async function createTopic(name: string, partitions = 1, configs: Record<string, string> = {}): Promise<void> {
  const answer = await java.call<Record<string, unknown>>('admin', 'createTopics', {
    topics: [{ name, partitions, replication: 1, configs }],
  });
  assert.deepEqual(answer, { [name]: true });
}

async function newProducer(config: Record<string, string> = {}): Promise<string> {
  const name = `producer-${(names += 1)}`;
  await java.create('Producer', name, config);
  return name;
}

async function newConsumer(config: Record<string, string> = {}): Promise<string> {
  const name = `consumer-${(names += 1)}`;
  await java.create('Consumer', name, { 'auto.offset.reset': 'earliest', 'enable.auto.commit': 'false', ...config });
  return name;
}

function send(producer: string, topic: string, records: readonly Outgoing[]): Promise<Sent[]> {
  return java.call(producer, 'send', { topic, records });
}

async function readAll(topic: string, partition: number, count: number, config: Record<string, string> = {}): Promise<Read[]> {
  const consumer = await newConsumer(config);
  await java.call(consumer, 'assign', { partitions: [`${topic}-${partition}`] });
  const read = await java.call<Read[]>(consumer, 'poll', { count });
  await java.call(consumer, 'close');
  return read;
}

/** Lets all consumers poll in turn until each holds the given number of partitions. */
async function settle(wanted: ReadonlyMap<string, number>): Promise<string[]> {
  let held: string[][] = [];
  for (let round = 0; round < 300; round += 1) {
    held = await Promise.all([...wanted.keys()].map((consumer) => java.call<string[]>(consumer, 'pollOnce')));
    const sizes = [...wanted.values()];
    if (held.every((each, i) => each.length === sizes[i])) return held.flat().sort();
  }
  throw new Error(`the group did not settle: ${JSON.stringify(held)}`);
}

function texts(count: number, salt: string): Outgoing[] {
  return Array.from({ length: count }, (_, i) => ({ partition: 0, value: `${salt} ${i} ${'xyz'.repeat(i % 50)}` }));
}

for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  suite.test(`round trip with codec ${codec}`, async () => {
    const topic = `codec-${codec}`;
    await createTopic(topic);
    const producer = await newProducer({ 'compression.type': codec, 'linger.ms': '20' });
    const records = texts(500, codec);
    const sent = await send(producer, topic, records);
    assert.deepEqual(sent.map((each) => each.offset), records.map((_, i) => i));
    await java.call(producer, 'close');
    const read = await readAll(topic, 0, records.length);
    assert.deepEqual(read.map((each) => each.value), records.map((each) => each.value));
    assert.deepEqual(read.map((each) => each.offset), records.map((_, i) => i));
  });
}

for (const acks of ['0', '1', 'all']) {
  suite.test(`acks ${acks} without idempotence`, async () => {
    const topic = `acks-${acks}`;
    await createTopic(topic);
    const producer = await newProducer({ acks, 'enable.idempotence': 'false' });
    const records = texts(100, acks);
    const sent = await send(producer, topic, records);
    assert.deepEqual(sent.map((each) => each.offset), records.map((_, i) => (acks === '0' ? -1 : i)));
    assert.deepEqual((await readAll(topic, 0, 100)).map((each) => each.value), records.map((each) => each.value));
    await java.call(producer, 'close');
  });
}

suite.test('linger 0, one batch a record, from two producers at once', async () => {
  await createTopic('small');
  const producers = [await newProducer({ 'linger.ms': '0', 'batch.size': '1' }), await newProducer({ 'linger.ms': '0', 'batch.size': '1' })];
  await Promise.all(producers.map((producer, i) => send(producer, 'small', texts(200, `p${i}`))));
  const read = await readAll('small', 0, 400);
  assert.deepEqual(read.map((each) => each.offset), Array.from({ length: 400 }, (_, i) => i));
  for (const salt of ['p0', 'p1']) {
    const own = read.filter((each) => each.value?.startsWith(`${salt} `)).map((each) => each.value);
    assert.deepEqual(own, texts(200, salt).map((each) => each.value));
  }
});

suite.test('keys, headers, null values and timestamps come back as sent', async () => {
  await createTopic('exact');
  const producer = await newProducer();
  const records: Outgoing[] = [
    { partition: 0, timestamp: base, key: 'k', value: 'v', headers: [['h', '1'], ['h', '2'], ['null', null], ['', '']] },
    { partition: 0, timestamp: base + 1, key: null, value: null },
    { partition: 0, timestamp: base + 2, key: '', value: '' },
    { partition: 0, timestamp: base - 500, key: 'ключ', value: '値'.repeat(1000) },
  ];
  await send(producer, 'exact', records);
  const read = await readAll('exact', 0, records.length);
  assert.deepEqual(
    read.map(({ timestamp, key, value, headers }) => ({ timestamp, key, value, headers })),
    records.map(({ timestamp, key, value, headers }) => ({ timestamp, key, value, headers: headers ?? [] })),
  );
  assert.ok(read.every((each) => each.timestampType === 'CreateTime' && each.leaderEpoch === 0));
});

suite.test('a topic with LogAppendTime stamps records itself', async () => {
  await createTopic('stamped', 1, { 'message.timestamp.type': 'LogAppendTime' });
  const producer = await newProducer();
  const [sent] = await send(producer, 'stamped', [{ partition: 0, timestamp: 1000, value: 'x' }]);
  const [read] = await readAll('stamped', 0, 1);
  assert.equal(read?.timestampType, 'LogAppendTime');
  assert.ok((read?.timestamp ?? 0) > 1_600_000_000_000);
  assert.equal(sent?.timestamp, read?.timestamp);
});

suite.test('records with keys go to the partition of the key, and each partition keeps its order', async () => {
  await createTopic('keyed', 4);
  const producer = await newProducer();
  const records = Array.from({ length: 200 }, (_, i) => ({ key: `key-${i % 10}`, value: String(i) }));
  const sent = await send(producer, 'keyed', records);
  const partitionOf = new Map<string, number>();
  sent.forEach((each, i) => {
    const key = records[i]?.key ?? '';
    assert.equal(partitionOf.get(key) ?? each.partition, each.partition);
    partitionOf.set(key, each.partition);
  });
  assert.equal(await java.call(producer, 'partitionsFor', { topic: 'keyed' }), 4);
  const consumer = await newConsumer();
  await java.call(consumer, 'assign', { partitions: ['keyed-0', 'keyed-1', 'keyed-2', 'keyed-3'] });
  const read = await java.call<Read[]>(consumer, 'poll', { count: 200 });
  for (const key of partitionOf.keys()) {
    const values = read.filter((each) => each.key === key).map((each) => Number(each.value));
    assert.deepEqual(values, [...values].sort((a, b) => a - b));
    assert.equal(values.length, 20);
  }
});

suite.test('a record that is too large for its topic is refused, its neighbours are not', async () => {
  await createTopic('limited', 1, { 'max.message.bytes': '20000' });
  const producer = await newProducer();
  const values = ['before', 'x'.repeat(30_000), 'after'];
  const errors: Array<string | undefined> = [];
  for (const value of values) errors.push((await send(producer, 'limited', [{ partition: 0, value }]))[0]?.error);
  assert.deepEqual(errors, [undefined, 'RecordTooLargeException', undefined]);
  assert.deepEqual((await readAll('limited', 0, 2)).map((each) => each.value), ['before', 'after']);
});

suite.test('producing to an unknown topic times out with a clear error', async () => {
  const producer = await newProducer({ 'max.block.ms': '1500' });
  await assert.rejects(java.call(producer, 'partitionsFor', { topic: 'no-such-topic' }), /TimeoutException/);
});

suite.test('begin and end offsets, position, seek', async () => {
  await createTopic('seekable', 2);
  const producer = await newProducer();
  await send(producer, 'seekable', texts(50, 's'));
  const consumer = await newConsumer();
  const partitions = ['seekable-0', 'seekable-1'];
  assert.deepEqual(await java.call(consumer, 'beginningOffsets', { partitions }), { 'seekable-0': 0, 'seekable-1': 0 });
  assert.deepEqual(await java.call(consumer, 'endOffsets', { partitions }), { 'seekable-0': 50, 'seekable-1': 0 });
  await java.call(consumer, 'assign', { partitions });
  await java.call(consumer, 'seek', { partition: 'seekable-0', offset: 47 });
  const read = await java.call<Read[]>(consumer, 'poll', { count: 3 });
  assert.deepEqual(read.map((each) => each.offset), [47, 48, 49]);
  assert.equal(await java.call(consumer, 'position', { partition: 'seekable-0' }), 50);
  await java.call(consumer, 'seekToBeginning');
  assert.equal(await java.call(consumer, 'position', { partition: 'seekable-0' }), 0);
  await java.call(consumer, 'seekToEnd');
  assert.equal(await java.call(consumer, 'position', { partition: 'seekable-0' }), 50);
});

suite.test('offsets for times', async () => {
  await createTopic('timed');
  const producer = await newProducer({ 'batch.size': '1' });
  await send(producer, 'timed', Array.from({ length: 10 }, (_, i) => ({ partition: 0, timestamp: base + i * 100, value: String(i) })));
  const consumer = await newConsumer();
  const at = (time: number) => java.call<Record<string, unknown>>(consumer, 'offsetsForTimes', { times: { 'timed-0': time } });
  assert.deepEqual(await at(base - 1), { 'timed-0': { offset: 0, timestamp: base } });
  assert.deepEqual(await at(base + 300), { 'timed-0': { offset: 3, timestamp: base + 300 } });
  assert.deepEqual(await at(base + 301), { 'timed-0': { offset: 4, timestamp: base + 400 } });
  assert.deepEqual(await at(base + 901), { 'timed-0': null });
});

suite.test('offsets for times inside a compressed batch', async () => {
  await createTopic('timed-batch');
  const producer = await newProducer({ 'linger.ms': '500', 'compression.type': 'lz4' });
  await send(producer, 'timed-batch', Array.from({ length: 20 }, (_, i) => ({ partition: 0, timestamp: base + i * 10, value: String(i) })));
  const consumer = await newConsumer();
  assert.deepEqual(await java.call(consumer, 'offsetsForTimes', { times: { 'timed-batch-0': base + 95 } }), {
    'timed-batch-0': { offset: 10, timestamp: base + 100 },
  });
});

suite.test('small fetches read everything, batch by batch', async () => {
  await createTopic('fetched');
  const producer = await newProducer({ 'batch.size': '4096' });
  const records = texts(2000, 'f');
  await send(producer, 'fetched', records);
  const read = await readAll('fetched', 0, 2000, { 'max.partition.fetch.bytes': '1000', 'fetch.max.bytes': '5000', 'max.poll.records': '70' });
  assert.deepEqual(read.map((each) => each.value), records.map((each) => each.value));
});

suite.test('read_committed reads plain records', async () => {
  await createTopic('committed');
  await send(await newProducer(), 'committed', texts(30, 'c'));
  const read = await readAll('committed', 0, 30, { 'isolation.level': 'read_committed' });
  assert.equal(read.length, 30);
});

suite.test('a consumer that waits at the end sees what is produced later', async () => {
  await createTopic('tail');
  const consumer = await newConsumer();
  await java.call(consumer, 'assign', { partitions: ['tail-0'] });
  const waiting = java.call<Read[]>(consumer, 'poll', { count: 1 });
  await send(await newProducer(), 'tail', [{ partition: 0, value: 'late' }]);
  assert.deepEqual((await waiting).map((each) => each.value), ['late']);
});

suite.test('group: commit, leave, come back, go on', async () => {
  await createTopic('group-topic', 2);
  const producer = await newProducer();
  await send(producer, 'group-topic', texts(40, 'g'));
  const first = await newConsumer({ 'group.id': 'resume', 'max.poll.records': '10' });
  await java.call(first, 'subscribe', { topics: ['group-topic'] });
  const part = await java.call<Read[]>(first, 'poll', { count: 10 });
  await java.call(first, 'commitOffsets', { offsets: { 'group-topic-0': { offset: part.length, metadata: 'note' } } });
  assert.deepEqual(await java.call(first, 'committed', { partitions: ['group-topic-0', 'group-topic-1'] }), {
    'group-topic-0': { offset: part.length, metadata: 'note' },
    'group-topic-1': null,
  });
  await java.call(first, 'close');
  const second = await newConsumer({ 'group.id': 'resume' });
  await java.call(second, 'subscribe', { topics: ['group-topic'] });
  const rest = await java.call<Read[]>(second, 'poll', { count: 40 - part.length });
  assert.equal(rest[0]?.offset, part.length);
  assert.equal(rest.length, 40 - part.length);
  await java.call(second, 'close');
});

for (const [name, assignor] of [['eager', 'RangeAssignor'], ['cooperative', 'CooperativeStickyAssignor']] as const) {
  suite.test(`group: ${name} rebalance when a member comes and goes`, async () => {
    const topic = `rebalance-${name}`;
    await createTopic(topic, 4);
    const config = {
      'group.id': topic,
      'partition.assignment.strategy': `org.apache.kafka.clients.consumer.${assignor}`,
      'heartbeat.interval.ms': '200',
    };
    const one = await newConsumer(config);
    const two = await newConsumer(config);
    const all = [0, 1, 2, 3].map((p) => `${topic}-${p}`);
    await java.call(one, 'subscribe', { topics: [topic] });
    assert.deepEqual(await settle(new Map([[one, 4]])), all);
    await java.call(two, 'subscribe', { topics: [topic] });
    assert.deepEqual(await settle(new Map([[one, 2], [two, 2]])), all);
    await java.call(two, 'close');
    assert.deepEqual(await settle(new Map([[one, 4]])), all);
    assert.deepEqual((await java.call<{ lost: number }>(one, 'rebalances')).lost, 0);
    await java.call(one, 'close');
  });
}

suite.test('group: a static member comes back without a rebalance', async () => {
  await createTopic('static', 2);
  const config = { 'group.id': 'static-group', 'group.instance.id': 'instance-1' };
  const first = await newConsumer(config);
  await java.call(first, 'subscribe', { topics: ['static'] });
  await settle(new Map([[first, 2]]));
  const before = await java.call<{ generation: number }>(first, 'groupMetadata');
  await java.call(first, 'close');
  const second = await newConsumer(config);
  await java.call(second, 'subscribe', { topics: ['static'] });
  await settle(new Map([[second, 2]]));
  const after = await java.call<{ generation: number }>(second, 'groupMetadata');
  assert.equal(after.generation, before.generation);
  await java.call(second, 'close');
});

suite.test('group: a member that stops polling is put out after max.poll.interval.ms', async () => {
  await createTopic('slow', 2);
  const config = { 'group.id': 'slow-group', 'heartbeat.interval.ms': '200' };
  const slow = await newConsumer({ ...config, 'max.poll.interval.ms': '1000' });
  await java.call(slow, 'subscribe', { topics: ['slow'] });
  await settle(new Map([[slow, 2]]));
  const other = await newConsumer(config);
  await java.call(other, 'subscribe', { topics: ['slow'] });
  await settle(new Map([[other, 2]]));
  await assert.rejects(java.call(slow, 'commitOffsets', { offsets: { 'slow-0': 0 } }), /CommitFailed|RebalanceInProgress/);
  await java.call(other, 'close');
});

suite.test('group: subscription by pattern finds topics', async () => {
  await createTopic('pattern-a');
  await createTopic('pattern-b');
  const producer = await newProducer();
  await send(producer, 'pattern-a', texts(3, 'a'));
  await send(producer, 'pattern-b', texts(4, 'b'));
  const consumer = await newConsumer({ 'group.id': 'pattern-group' });
  await java.call(consumer, 'subscribePattern', { pattern: 'pattern-.*' });
  assert.equal((await java.call<Read[]>(consumer, 'poll', { count: 7 })).length, 7);
  await java.call(consumer, 'close');
});
