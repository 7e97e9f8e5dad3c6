import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorName } from '../../src/protocol/errors.js';
import { createTopicsApi } from '../../src/protocol/messages/19-create-topics.js';
import { metadataApi } from '../../src/protocol/messages/03-metadata.js';
import { type RequestInput } from '../../src/protocol/api.js';
import { topicName } from './support/names.js';
import { type Target, startTarget } from './support/target.js';

type Wish = NonNullable<NonNullable<RequestInput<typeof createTopicsApi>['topics']>[number]>;

let target: Target;
before(async () => {
  target = await startTarget();
});
after(() => target.stop());

const plain = (name: string): Wish => ({ name, numPartitions: 1, replicationFactor: 1 });

async function create(topics: Wish[], version = 7, validateOnly = false) {
  const answer = await target.ask(createTopicsApi, version, { topics, validateOnly });
  return new Map(answer.topics.map((topic) => [topic.name, topic]));
}

async function errorOf(wish: Omit<Wish, 'name'>, name = topicName()): Promise<string> {
  const topic = (await create([{ ...wish, name }])).get(name)!;
  return `${errorName(topic.errorCode)}: ${topic.errorMessage}`;
}

async function exists(name: string): Promise<boolean> {
  const { topics } = await target.ask(metadataApi, 9, { topics: [{ name }], allowAutoTopicCreation: false });
  return topics[0]!.errorCode === 0;
}

test('in every version, and each topic can be used when the answer comes', async () => {
  for (let version = 2; version <= 7; version += 1) {
    const name = topicName('create');
    const topic = (await create([{ ...plain(name), numPartitions: 3 }], version)).get(name)!;
    assert.equal(topic.errorCode, 0);
    assert.equal(topic.errorMessage, null);
    if (version >= 5) {
      assert.equal(topic.numPartitions, 3);
      assert.equal(topic.replicationFactor, 1);
    }
    assert.equal(topic.topicId !== 'AAAAAAAAAAAAAAAAAAAAAA', version >= 7);
    // Kafka's brokers learn of it a little later.
    if (target.kind === 'kafka') continue;
    assert.ok(await exists(name));
    await target.produce(name, 2, [{ value: Buffer.from('x') }]);
  }
});

test('the answer holds all settings, with where each comes from', async () => {
  const name = topicName('configs');
  const topic = (await create([{ ...plain(name), configs: [{ name: 'max.message.bytes', value: '2000000' }] }])).get(name)!;
  const configs = new Map(topic.configs!.map((config) => [config.name, config]));
  const view = (key: string) => {
    const { value, configSource, readOnly, isSensitive } = configs.get(key)!;
    return { value, configSource, readOnly, isSensitive };
  };
  assert.deepEqual(view('max.message.bytes'), { value: '2000000', configSource: 1, readOnly: false, isSensitive: false });
  assert.deepEqual(view('cleanup.policy'), { value: 'delete', configSource: 5, readOnly: false, isSensitive: false });
  assert.deepEqual(view('segment.bytes'), { value: '1073741824', configSource: 5, readOnly: false, isSensitive: false });
  assert.deepEqual([...configs.keys()], [...configs.keys()].sort());
});

test('-1 stands for the defaults', async () => {
  const name = topicName('defaults');
  const topic = (await create([{ name, numPartitions: -1, replicationFactor: -1 }])).get(name)!;
  assert.equal(topic.errorCode, 0);
  assert.equal(topic.numPartitions, 1);
  assert.equal(topic.replicationFactor, 1);
});

test('validating only makes nothing', async () => {
  const name = topicName('validate');
  assert.equal((await create([plain(name)], 7, true)).get(name)!.errorCode, 0);
  assert.equal(await exists(name), false);
  const wrong = topicName('validate');
  assert.equal(errorName((await create([{ ...plain(wrong), replicationFactor: 3 }], 7, true)).get(wrong)!.errorCode), 'INVALID_REPLICATION_FACTOR');
});

test('each kind of invalid topic, in Kafka\'s words', async () => {
  const existing = topicName('existing');
  await create([plain(existing)]);
  assert.equal(await errorOf(plain(existing), existing), `TOPIC_ALREADY_EXISTS: Topic '${existing}' already exists.`);
  assert.equal(
    await errorOf({ numPartitions: 0, replicationFactor: 1 }),
    'INVALID_PARTITIONS: Number of partitions was set to an invalid non-positive value.',
  );
  assert.equal(
    await errorOf({ numPartitions: 1, replicationFactor: 0 }),
    'INVALID_REPLICATION_FACTOR: Replication factor must be larger than 0, or -1 to use the default value.',
  );
  const tooMany = await errorOf({ numPartitions: 1, replicationFactor: 3 });
  assert.ok(tooMany.startsWith(
    'INVALID_REPLICATION_FACTOR: Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be ' +
      'reached because only 1 broker(s) are registered',
  ), tooMany);
  for (const [name, why] of [
    ['no spaces', "'no spaces' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"],
    ['..', "'..' is not allowed"],
    ['', 'the empty string is not allowed'],
    ['x'.repeat(250), `the length of '${'x'.repeat(250)}' is longer than the max allowed length 249`],
  ] as const) {
    assert.equal(await errorOf({ numPartitions: 1, replicationFactor: 1 }, name), `INVALID_TOPIC_EXCEPTION: Topic name is invalid: ${why}`);
  }
  assert.equal(
    await errorOf(plain(''), '__cluster_metadata'),
    'INVALID_REQUEST: Creation of internal topic __cluster_metadata is prohibited.',
  );
});

test('names that would collide', async () => {
  const name = topicName('col.lide');
  await create([plain(name)]);
  const other = name.replace('.', '_');
  assert.equal(await errorOf(plain(other), other), `INVALID_TOPIC_EXCEPTION: Topic '${other}' collides with existing topic: ${name}`);
});

test('settings that are not valid', async () => {
  const withConfig = (name: string, value: string | null) => errorOf({ numPartitions: 1, replicationFactor: 1, configs: [{ name, value }] });
  assert.match(await withConfig('no.such.setting', '1'), /^INVALID_CONFIG: Unknown topic config name: no.such.setting/);
  assert.match(await withConfig('retention.ms', 'soon'), /^INVALID_CONFIG: Invalid value soon for configuration retention.ms/);
  assert.match(await withConfig('cleanup.policy', 'burn'), /^INVALID_CONFIG: Invalid value/);
  assert.match(await withConfig('retention.ms', null), /^INVALID_CONFIG: Null value not supported for topic configs: retention.ms/);
});

test('assignments by hand', async () => {
  const assigned = (more: Omit<Wish, 'name'>, ...assignments: [number, number[]][]) => errorOf({
    numPartitions: -1, replicationFactor: -1, assignments: assignments.map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds })), ...more,
  });
  assert.equal(await assigned({}, [0, [1]], [1, [1]]), 'NONE: null');
  assert.match(await assigned({ numPartitions: 1 }, [0, [1]]), /^INVALID_REQUEST: /);
  assert.match(await assigned({ replicationFactor: 1 }, [0, [1]]), /^INVALID_REQUEST: /);
  assert.match(await assigned({}, [0, [9]]), /^INVALID_REPLICA_ASSIGNMENT: .*broker 9/);
  assert.match(await assigned({}, [0, [1, 1]]), /^INVALID_REPLICA_ASSIGNMENT: /);
  assert.match(await assigned({}, [0, []]), /^INVALID_REPLICA_ASSIGNMENT: /);
  assert.match(await assigned({}, [1, [1]]), /^INVALID_REPLICA_ASSIGNMENT: /);
});

test('a name twice in one request fails, others beside it are made', async () => {
  const [twice, once] = [topicName('twice'), topicName('once')];
  const topics = await create([plain(twice), plain(once), plain(twice)]);
  assert.equal(`${errorName(topics.get(twice)!.errorCode)}: ${topics.get(twice)!.errorMessage}`, 'INVALID_REQUEST: Duplicate topic name.');
  assert.equal(topics.get(once)!.errorCode, 0);
  assert.equal(await exists(twice), false);
});

test('many topics at once, valid and not', async () => {
  const good = Array.from({ length: 30 }, () => topicName('bulk'));
  const bad = topicName('bulk');
  const topics = await create([...good.map(plain), { ...plain(bad), numPartitions: -7 }]);
  assert.deepEqual(good.filter((name) => topics.get(name)!.errorCode !== 0), []);
  assert.equal(errorName(topics.get(bad)!.errorCode), 'INVALID_PARTITIONS');
});
