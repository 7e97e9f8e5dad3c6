// Apache Kafka's Java admin client: topics, configs, partitions, records, offsets, groups, cluster, log directories.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { type BrokerProcess, startBroker } from '../support/broker.js';
import { compatSuite } from '../support/compat.js';
import { JavaClients } from '../support/java-clients.js';

const suite = compatSuite('java-admin');
/** Record timestamps: recent, so that retention has no say. */
const base = Date.now() - 3_600_000;
let broker: BrokerProcess;
let java: JavaClients;

type PerItem<T = unknown> = Record<string, T>;
type Failure = { readonly error: string; readonly message: string };

interface ConfigValue {
  readonly value: string | null;
  readonly source: string;
  readonly readOnly: boolean;
  readonly sensitive: boolean;
  readonly type: string;
}

interface TopicPlain {
  readonly id: string;
  readonly internal: boolean;
  readonly partitions: Array<{ partition: number; leader: number; replicas: number[]; isr: number[] }>;
}

before(async () => {
  broker = await startBroker({ properties: { 'auto.create.topics.enable': 'false' } });
  java = await JavaClients.start(broker.bootstrap);
  await java.create('Admin', 'admin');
  await java.create('Producer', 'producer');
  await java.create('Consumer', 'reader', { 'auto.offset.reset': 'earliest', 'enable.auto.commit': 'false' });
});
after(async () => {
  await java?.close();
  await broker?.dispose();
});

function admin<T = PerItem>(op: string, args: Record<string, unknown> = {}): Promise<T> {
  return java.call<T>('admin', op, args);
}

async function createTopic(name: string, partitions = 1, configs: Record<string, string> = {}): Promise<void> {
  assert.deepEqual(await admin('createTopics', { topics: [{ name, partitions, replication: 1, configs }] }), { [name]: true });
}

async function produce(topic: string, count: number, partition = 0): Promise<void> {
  const records = Array.from({ length: count }, (_, i) => ({ partition, value: `${topic} ${i}`, timestamp: base + i }));
  await java.call('producer', 'send', { topic, records });
}

function errorsOf(answer: PerItem): PerItem<string> {
  return Object.fromEntries(Object.entries(answer).map(([key, value]) => [key, (value as Failure).error ?? 'none']));
}

async function topicConfig(name: string): Promise<PerItem<ConfigValue>> {
  return (await admin<PerItem<PerItem<ConfigValue>>>('describeConfigs', { type: 'TOPIC', name }))[name] ?? {};
}

suite.test('create, list, describe and delete topics', async () => {
  await createTopic('one', 3);
  await createTopic('two');
  const listed = await admin<string[]>('listTopics');
  assert.ok(listed.includes('one') && listed.includes('two'));
  const described = await admin<PerItem<TopicPlain>>('describeTopics', { topics: ['one', 'absent'] });
  assert.deepEqual(
    described['one']?.partitions,
    [0, 1, 2].map((partition) => ({ partition, leader: 1, replicas: [1], isr: [1] })),
  );
  assert.equal(described['one']?.internal, false);
  assert.match(described['one']?.id ?? '', /^[A-Za-z0-9_-]{22}$/);
  assert.equal((described['absent'] as unknown as Failure).error, 'UnknownTopicOrPartitionException');
  assert.deepEqual(await admin('deleteTopics', { topics: ['one'] }), { one: true });
  assert.deepEqual(await admin('deleteTopicsById', { ids: [(await describe('two')).id] }).then((a) => Object.values(a)), [true]);
  const left = await admin<string[]>('listTopics');
  assert.ok(!left.includes('one') && !left.includes('two'));
});

async function describe(topic: string): Promise<TopicPlain> {
  const answer = (await admin<PerItem<TopicPlain>>('describeTopics', { topics: [topic] }))[topic];
  assert.ok(answer !== undefined && 'partitions' in answer, JSON.stringify(answer));
  return answer;
}

suite.test('a topic that was deleted and created again is a new one', async () => {
  await createTopic('again');
  await produce('again', 10);
  const id = (await describe('again')).id;
  await admin('deleteTopics', { topics: ['again'] });
  await createTopic('again', 2);
  assert.notEqual((await describe('again')).id, id);
  assert.deepEqual(await java.call('reader', 'endOffsets', { partitions: ['again-0', 'again-1'] }), { 'again-0': 0, 'again-1': 0 });
});

suite.test('what may not be created is refused with its own error', async () => {
  await createTopic('taken');
  const bad = [
    { name: 'taken', partitions: 1, replication: 1 },
    { name: 'bad/name', partitions: 1, replication: 1 },
    { name: '..', partitions: 1, replication: 1 },
    { name: 'x'.repeat(250), partitions: 1, replication: 1 },
    { name: 'no-partitions', partitions: 0, replication: 1 },
    { name: 'too-many-replicas', partitions: 1, replication: 2 },
    { name: 'bad-config', partitions: 1, replication: 1, configs: { 'no.such.config': '1' } },
    { name: 'bad-value', partitions: 1, replication: 1, configs: { 'retention.ms': 'soon' } },
    { name: 'bad-range', partitions: 1, replication: 1, configs: { 'segment.bytes': '1' } },
  ];
  assert.deepEqual(errorsOf(await admin('createTopics', { topics: bad })), {
    taken: 'TopicExistsException',
    'bad/name': 'InvalidTopicException',
    '..': 'InvalidTopicException',
    ['x'.repeat(250)]: 'InvalidTopicException',
    'no-partitions': 'InvalidPartitionsException',
    'too-many-replicas': 'InvalidReplicationFactorException',
    'bad-config': 'InvalidConfigurationException',
    'bad-value': 'InvalidConfigurationException',
    'bad-range': 'InvalidConfigurationException',
  });
});

suite.test('defaults for partitions and replication; validateOnly creates nothing', async () => {
  assert.deepEqual(await admin('createTopics', { topics: [{ name: 'defaults' }] }), { defaults: true });
  assert.equal((await describe('defaults')).partitions.length, 1);
  assert.deepEqual(await admin('createTopics', { topics: [{ name: 'dry' }], validateOnly: true }), { dry: true });
  assert.ok(!(await admin<string[]>('listTopics')).includes('dry'));
});

suite.test('a topic name that collides with another in its dots and underscores is refused', async () => {
  await createTopic('dots.and_lines');
  const answer = await admin('createTopics', { topics: [{ name: 'dots_and.lines', partitions: 1, replication: 1 }] });
  assert.deepEqual(errorsOf(answer), { 'dots_and.lines': 'InvalidTopicException' });
});

suite.test('partitions are added, never taken away', async () => {
  await createTopic('growing', 2);
  assert.deepEqual(await admin('createPartitions', { counts: { growing: 5 } }), { growing: true });
  assert.equal((await describe('growing')).partitions.length, 5);
  const answers = await admin('createPartitions', { counts: { growing: 3, 'no-such': 2 } });
  assert.deepEqual(errorsOf(answers), { growing: 'InvalidPartitionsException', 'no-such': 'UnknownTopicOrPartitionException' });
  await produce('growing', 3, 4);
  assert.deepEqual(await java.call('reader', 'endOffsets', { partitions: ['growing-4'] }), { 'growing-4': 3 });
});

suite.test('topic configs: sources, set, append, subtract, delete', async () => {
  await createTopic('configured', 1, { 'retention.ms': '12345678' });
  const alter = (...changes: string[][]) => admin('alterConfigs', { type: 'TOPIC', name: 'configured', changes });
  const first = await topicConfig('configured');
  assert.deepEqual(first['retention.ms'], {
    value: '12345678',
    source: 'DYNAMIC_TOPIC_CONFIG',
    readOnly: false,
    sensitive: false,
    type: 'LONG',
  });
  assert.equal(first['cleanup.policy']?.value, 'delete');
  assert.equal(first['cleanup.policy']?.source, 'DEFAULT_CONFIG');
  assert.deepEqual(await alter(['SET', 'max.message.bytes', '2000000'], ['APPEND', 'cleanup.policy', 'compact']), { configured: true });
  const second = await topicConfig('configured');
  assert.equal(second['max.message.bytes']?.value, '2000000');
  assert.equal(second['cleanup.policy']?.value, 'delete,compact');
  assert.deepEqual(await alter(['SUBTRACT', 'cleanup.policy', 'compact'], ['DELETE', 'max.message.bytes']), { configured: true });
  const third = await topicConfig('configured');
  assert.equal(third['cleanup.policy']?.value, 'delete');
  assert.equal(third['cleanup.policy']?.source, 'DYNAMIC_TOPIC_CONFIG');
  assert.deepEqual(third['max.message.bytes'], { ...third['max.message.bytes'], value: '1048588', source: 'DEFAULT_CONFIG' });
  assert.deepEqual(errorsOf(await alter(['SET', 'retention.ms', 'never'])), { configured: 'InvalidConfigurationException' });
  assert.deepEqual(errorsOf(await alter(['SET', 'no.such.config', '1'])), { configured: 'InvalidConfigurationException' });
  const unknown = await admin('alterConfigs', { type: 'TOPIC', name: 'no-such-topic', changes: [['SET', 'retention.ms', '1']] });
  assert.deepEqual(errorsOf(unknown), { 'no-such-topic': 'UnknownTopicOrPartitionException' });
});

suite.test('a lowered max.message.bytes takes effect at once', async () => {
  await createTopic('narrow');
  await produce('narrow', 1);
  await admin('alterConfigs', { type: 'TOPIC', name: 'narrow', changes: [['SET', 'max.message.bytes', '1000']] });
  const [sent] = await java.call<Failure[]>('producer', 'send', { topic: 'narrow', records: [{ partition: 0, value: 'x'.repeat(5000) }] });
  assert.equal(sent?.error, 'RecordTooLargeException');
});

suite.test('broker configs: static, dynamic for this broker, dynamic default', async () => {
  const read = async (key: string) =>
    (await admin<PerItem<PerItem<ConfigValue>>>('describeConfigs', { type: 'BROKER', name: '1' }))['1']?.[key];
  assert.equal((await read('auto.create.topics.enable'))?.value, 'false');
  assert.equal((await read('auto.create.topics.enable'))?.source, 'STATIC_BROKER_CONFIG');
  assert.equal((await read('log.retention.hours'))?.value, '168');
  const alter = (name: string, ...change: string[]) => admin('alterConfigs', { type: 'BROKER', name, changes: [change] });
  assert.deepEqual(await alter('', 'SET', 'log.retention.ms', '3600000'), { '': true });
  assert.equal((await eventually(() => read('log.retention.ms'), (found) => found?.value === '3600000'))?.source, 'DYNAMIC_DEFAULT_BROKER_CONFIG');
  assert.deepEqual(await alter('1', 'SET', 'log.retention.ms', '7200000'), { '1': true });
  assert.equal((await eventually(() => read('log.retention.ms'), (found) => found?.value === '7200000'))?.source, 'DYNAMIC_BROKER_CONFIG');
  await createTopic('inherits');
  assert.deepEqual((await topicConfig('inherits'))['retention.ms'], {
    value: '7200000',
    source: 'DYNAMIC_BROKER_CONFIG',
    readOnly: false,
    sensitive: false,
    type: 'LONG',
  });
  assert.deepEqual(await alter('1', 'DELETE', 'log.retention.ms'), { '1': true });
  assert.deepEqual(await alter('', 'DELETE', 'log.retention.ms'), { '': true });
  assert.deepEqual(errorsOf(await alter('1', 'SET', 'process.roles', 'broker')), { '1': 'InvalidRequestException' });
});

/** Asks again until the answer is as wanted: where Kafka applies a change after it has answered. */
async function eventually<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean): Promise<T> {
  let answer = await ask();
  for (let i = 0; i < 200 && !wanted(answer); i += 1) answer = await ask();
  assert.ok(wanted(answer), JSON.stringify(answer));
  return answer;
}

suite.test('config resources are listed', async () => {
  await createTopic('listed-resource', 1, { 'retention.ms': '1000' });
  const resources = await admin<string[]>('listConfigResources');
  assert.ok(resources.includes('TOPIC listed-resource'), JSON.stringify(resources));
  assert.ok(resources.includes('BROKER 1'), JSON.stringify(resources));
});

suite.test('deleteRecords moves the log start, for readers too', async () => {
  await createTopic('trimmed', 2);
  await produce('trimmed', 50);
  assert.deepEqual(await admin('deleteRecords', { before: { 'trimmed-0': 20 } }), { 'trimmed-0': 20 });
  assert.deepEqual(await java.call('reader', 'beginningOffsets', { partitions: ['trimmed-0'] }), { 'trimmed-0': 20 });
  await java.call('reader', 'assign', { partitions: ['trimmed-0'] });
  await java.call('reader', 'seekToBeginning');
  const read = await java.call<Array<{ offset: number }>>('reader', 'poll', { count: 30 });
  assert.deepEqual(read.map((each) => each.offset), Array.from({ length: 30 }, (_, i) => 20 + i));
  assert.deepEqual(errorsOf(await admin('deleteRecords', { before: { 'trimmed-0': 51 } })), { 'trimmed-0': 'OffsetOutOfRangeException' });
  assert.deepEqual(await admin('deleteRecords', { before: { 'trimmed-0': 10 } }), { 'trimmed-0': 20 });
  assert.deepEqual(await admin('deleteRecords', { before: { 'trimmed-0': -1 } }), { 'trimmed-0': 50 });
});

suite.test('listOffsets: earliest, latest, by time, greatest timestamp, local and tiered', async () => {
  await createTopic('listing');
  await produce('listing', 20);
  const ask = async (spec: unknown) => (await admin<PerItem>('listOffsets', { specs: { 'listing-0': spec } }))['listing-0'];
  assert.deepEqual(await ask('earliest'), { offset: 0, timestamp: -1, leaderEpoch: 0 });
  assert.deepEqual(await ask('latest'), { offset: 20, timestamp: -1, leaderEpoch: 0 });
  assert.deepEqual(await ask(base + 5), { offset: 5, timestamp: base + 5, leaderEpoch: 0 });
  assert.deepEqual(await ask(base + 7_200_000), { offset: -1, timestamp: -1, leaderEpoch: -1 });
  assert.deepEqual(await ask('maxTimestamp'), { offset: 19, timestamp: base + 19, leaderEpoch: 0 });
  assert.deepEqual(await ask('earliestLocal'), { offset: 0, timestamp: -1, leaderEpoch: 0 });
  assert.deepEqual(await ask('latestTiered'), { offset: -1, timestamp: -1, leaderEpoch: -1 });
});

suite.test('describe the cluster, its features and log directories', async () => {
  const cluster = await admin<{ nodes: string[]; controller: number; clusterId: string }>('describeCluster');
  assert.deepEqual(cluster.nodes, [`1 ${broker.bootstrap}`]);
  assert.equal(cluster.controller, 1);
  assert.match(cluster.clusterId, /^[A-Za-z0-9_-]{22}$/);
  await createTopic('on-disk', 2);
  await produce('on-disk', 100);
  const directories = await admin<PerItem<{ replicas: PerItem<number>; totalBytes: number; usableBytes: number }>>('describeLogDirs');
  assert.deepEqual(Object.keys(directories), [broker.dataDirectory]);
  const directory = directories[broker.dataDirectory];
  assert.ok((directory?.replicas['on-disk-0'] ?? 0) > 1000);
  assert.equal(directory?.replicas['on-disk-1'], 0);
  assert.ok((directory?.totalBytes ?? 0) >= (directory?.usableBytes ?? Infinity));
  const features = await admin<PerItem<number>>('describeFeatures');
  assert.ok((features['metadata.version'] ?? 0) > 0);
});

suite.test('groups: list, describe, offsets read, altered and deleted, group deleted', async () => {
  await createTopic('grouped', 2);
  await produce('grouped', 10);
  await java.create('Consumer', 'member', { 'group.id': 'described', 'auto.offset.reset': 'earliest', 'enable.auto.commit': 'false', 'client.id': 'cid' });
  await java.call('member', 'subscribe', { topics: ['grouped'] });
  await java.call('member', 'poll', { count: 10 });
  await java.call('member', 'commit');
  assert.deepEqual((await admin<PerItem>('listGroups'))['described'], { type: 'Classic', protocol: 'consumer', state: 'Stable' });
  const group = (await admin<PerItem<{ members: PerItem[] }>>('describeGroups', { groups: ['described'] }))['described'];
  const { memberId, ...member } = group?.members[0] ?? {};
  assert.match(String(memberId), /^cid-[0-9a-f-]{36}$/);
  assert.deepEqual(member, { clientId: 'cid', host: '/127.0.0.1', instanceId: '', assignment: ['grouped-0', 'grouped-1'] });
  assert.deepEqual({ ...group, members: [] }, {
    state: 'Stable',
    type: 'Classic',
    assignor: 'range',
    coordinator: 1,
    simple: false,
    members: [],
  });
  assert.deepEqual(await admin('listGroupOffsets', { group: 'described' }), { 'grouped-0': 10, 'grouped-1': 0 });
  assert.deepEqual(errorsOf(await admin('deleteGroups', { groups: ['described', 'no-such-group'] })), {
    described: 'GroupNotEmptyException',
    'no-such-group': 'GroupIdNotFoundException',
  });
  await assert.rejects(admin('alterGroupOffsets', { group: 'described', offsets: { 'grouped-0': 3 } }), /UnknownMemberIdException/);
  await assert.rejects(admin('deleteGroupOffsets', { group: 'described', partitions: ['grouped-0'] }), /GroupSubscribedToTopicException/);
  await java.call('member', 'close');
  assert.deepEqual((await admin<PerItem<{ state: string }>>('listGroups'))['described']?.state, 'Empty');
  await admin('alterGroupOffsets', { group: 'described', offsets: { 'grouped-0': 3 } });
  await admin('deleteGroupOffsets', { group: 'described', partitions: ['grouped-1'] });
  assert.deepEqual(await admin('listGroupOffsets', { group: 'described' }), { 'grouped-0': 3 });
  assert.deepEqual(await admin('deleteGroups', { groups: ['described'] }), { described: true });
  assert.equal((await admin<PerItem>('listGroups'))['described'], undefined);
});

suite.test('groups: all members are removed', async () => {
  await createTopic('evicted', 1);
  await java.create('Consumer', 'evictee', { 'group.id': 'evictees', 'auto.offset.reset': 'earliest' });
  await java.call('evictee', 'subscribe', { topics: ['evicted'] });
  await eventually(() => java.call<string[]>('evictee', 'pollOnce'), (held) => held.length === 1);
  await admin('removeAllMembers', { group: 'evictees' });
  assert.equal((await admin<PerItem<{ state: string }>>('listGroups'))['evictees']?.state, 'Empty');
  await java.call('evictee', 'close');
});

suite.test('topics, configs, records and group offsets outlive a restart', async () => {
  await createTopic('lasting', 2, { 'retention.ms': '987654321' });
  await produce('lasting', 25);
  const { id } = await describe('lasting');
  await admin('deleteRecords', { before: { 'lasting-0': 5 } });
  await admin('alterGroupOffsets', { group: 'lasting-group', offsets: { 'lasting-0': 7 } });
  await broker.stop();
  await broker.start();
  assert.equal((await describe('lasting')).id, id);
  assert.equal((await topicConfig('lasting'))['retention.ms']?.value, '987654321');
  assert.deepEqual(await admin('listGroupOffsets', { group: 'lasting-group' }), { 'lasting-0': 7 });
  assert.deepEqual(await java.call('reader', 'beginningOffsets', { partitions: ['lasting-0'] }), { 'lasting-0': 5 });
  assert.deepEqual(await java.call('reader', 'endOffsets', { partitions: ['lasting-0'] }), { 'lasting-0': 25 });
  await produce('lasting', 5);
  assert.deepEqual(await java.call('reader', 'endOffsets', { partitions: ['lasting-0'] }), { 'lasting-0': 30 });
});
