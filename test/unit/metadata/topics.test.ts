import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyRecords } from '../../../src/metadata/apply.js';
import { type MetadataImage, emptyImage } from '../../../src/metadata/image.js';
import { makeRecord } from '../../../src/metadata/records.js';
import { featureLevelRecord } from '../../../src/protocol/records/metadata/index.js';
import { errorName } from '../../../src/protocol/errors.js';
import {
  type Outcome, type TopicEnvironment, type TopicToCreate, planCreatePartitions, planCreateTopics, planDeleteTopics,
} from '../../../src/metadata/topics.js';

let ids = 0;
const environment: TopicEnvironment = {
  brokerId: 1,
  directoryId: '1XM8VGOFSw0hyu7xZEomCg',
  defaultPartitions: 4,
  defaultReplicationFactor: 1,
  newId: () => Buffer.alloc(16, (ids += 1)).toString('base64url'),
  topicConfigProblem: (overrides) => (overrides.has('bad') ? 'bad is bad' : null),
};

const base = applyRecords(emptyImage, [makeRecord(featureLevelRecord, 0, { name: 'metadata.version', featureLevel: 33 }).record]);

function wish(name: string, more: Partial<TopicToCreate> = {}): TopicToCreate {
  return { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...more };
}

function create(image: typeof base, ...topics: TopicToCreate[]) {
  const plan = planCreateTopics(image, topics, environment);
  return { ...plan, image: applyRecords(image, plan.records.map(({ record }) => record)) };
}

function said(outcome: Outcome<unknown> | undefined): string {
  assert.ok(outcome !== undefined);
  return 'ok' in outcome ? 'ok' : `${errorName(outcome.error.code)}: ${outcome.error.message}`;
}

test('a topic as Kafka 4.4 writes it: topic, settings, then partitions', () => {
  const { records, result } = create(base, wish('t1', { numPartitions: 2, configs: [{ name: 'max.message.bytes', value: '2000000' }] }));
  assert.equal(said(result[0]), 'ok');
  assert.deepEqual(records.map(({ record }) => `${record.name} v${record.version}`), [
    'TopicRecord v0', 'ConfigRecord v0', 'PartitionRecord v2', 'PartitionRecord v2',
  ]);
  // Kafka's own record of this content takes 65 bytes.
  assert.equal(records[2]!.bytes.length, 65);
});

test('older levels of metadata.version get older partition records', () => {
  for (const [level, version] of [[7, 0], [16, 0], [17, 1], [22, 1], [23, 2]] as const) {
    const image = applyRecords(emptyImage, [makeRecord(featureLevelRecord, 0, { name: 'metadata.version', featureLevel: level }).record]);
    const { records } = create(image, wish('t'));
    assert.equal(records[1]!.record.version, version, `level ${level}`);
  }
});

test('defaults stand for -1', () => {
  const { result } = create(base, wish('t', { numPartitions: -1, replicationFactor: -1 }));
  assert.ok('ok' in result[0]!);
  assert.equal(result[0].ok.partitions, 4);
  assert.equal(result[0].ok.replicationFactor, 1);
});

test('each invalid topic fails for itself, the valid ones beside it are made', () => {
  const { image, result } = create(
    base, wish('good'), wish('no parts', { numPartitions: 1 }), wish(''), wish('..'), wish('x'.repeat(250)),
    wish('zero', { numPartitions: 0 }), wish('factor', { replicationFactor: 3 }), wish('factor0', { replicationFactor: 0 }),
    wish('config', { configs: [{ name: 'bad', value: '1' }] }), wish('null', { configs: [{ name: 'a', value: null }] }),
    wish('__cluster_metadata'),
  );
  assert.deepEqual(result.map(said), [
    'ok',
    "INVALID_TOPIC_EXCEPTION: Topic name is invalid: 'no parts' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
    'INVALID_TOPIC_EXCEPTION: Topic name is invalid: the empty string is not allowed',
    "INVALID_TOPIC_EXCEPTION: Topic name is invalid: '..' is not allowed",
    `INVALID_TOPIC_EXCEPTION: Topic name is invalid: the length of '${'x'.repeat(250)}' is longer than the max allowed length 249`,
    'INVALID_PARTITIONS: Number of partitions was set to an invalid non-positive value.',
    'INVALID_REPLICATION_FACTOR: Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be reached because only 1 broker(s) are registered ' +
      'or some brokers have all their log directories cordoned.',
    'INVALID_REPLICATION_FACTOR: Replication factor must be larger than 0, or -1 to use the default value.',
    'INVALID_CONFIG: bad is bad',
    'INVALID_CONFIG: Null value not supported for topic configs: a',
    'INVALID_REQUEST: Creation of internal topic __cluster_metadata is prohibited.',
  ]);
  assert.deepEqual([...image.topics.keys()], ['good']);
});

test('an existing name and a colliding one', () => {
  const { image } = create(base, wish('a.b'));
  const { result } = create(image, wish('a.b'), wish('a_b'), wish('ab'));
  assert.deepEqual(result.map(said), [
    "TOPIC_ALREADY_EXISTS: Topic 'a.b' already exists.",
    "INVALID_TOPIC_EXCEPTION: Topic 'a_b' collides with existing topic: a.b",
    'ok',
  ]);
  const id = image.topics.get('a.b')!.id;
  const without = (image: MetadataImage, topicId: string) =>
    applyRecords(image, planDeleteTopics(image, [topicId]).records.map(({ record }) => record));
  assert.equal(said(create(without(image, id), wish('a_b')).result[0]), 'ok');
  // Kafka lets one request make both; what is left of them still collides.
  const { image: both } = create(base, wish('a.b'), wish('a_b'));
  const left = without(both, both.topics.get('a_b')!.id);
  assert.match(said(create(left, wish('a_b')).result[0]), /collides with existing topic: a\.b/);
});

test('assignments by hand', () => {
  const assigned = (...assignments: [number, number[]][]) => wish('t', {
    numPartitions: -1, replicationFactor: -1, assignments: assignments.map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds })),
  });
  const say = (topic: TopicToCreate) => said(create(base, topic).result[0]);
  assert.equal(say(assigned([0, [1]], [1, [1]])), 'ok');
  assert.match(say({ ...assigned([0, [1]]), numPartitions: 1 }), /^INVALID_REQUEST: .*numPartitions was not set to -1/);
  assert.match(say({ ...assigned([0, [1]]), replicationFactor: 1 }), /^INVALID_REQUEST: .*replication factor was not set to -1/);
  assert.match(say(assigned([0, [2]])), /^INVALID_REPLICA_ASSIGNMENT: .*broker 2, but no such broker is registered/);
  assert.match(say(assigned([0, [1, 1]])), /^INVALID_REPLICA_ASSIGNMENT: .*more than once/);
  assert.match(say(assigned([0, []])), /^INVALID_REPLICA_ASSIGNMENT: .*empty replica list/);
  assert.match(say(assigned([0, [1]], [0, [1]])), /^INVALID_REPLICA_ASSIGNMENT: Found multiple/);
  assert.match(say(assigned([0, [1]], [2, [1]])), /^INVALID_REPLICA_ASSIGNMENT: partitions should be a consecutive/);
});

test('no more partitions for one request than Kafka makes', () => {
  assert.equal(said(create(base, wish('t', { numPartitions: 9_999 })).result[0]), 'ok');
  const message = 'Excessively large number of partitions per request.';
  assert.throws(() => create(base, wish('t', { numPartitions: 10_001 })), { told: message });
  assert.throws(() => create(base, wish('a', { numPartitions: 6_000 }), wish('b', { numPartitions: 6_000 }), wish('no parts')), { told: message });
  // The topic is a record, too.
  assert.throws(() => create(base, wish('t', { numPartitions: 10_000 })), { told: 'Unable to perform excessively large batch operation.' });
});

test('more partitions for a topic', () => {
  const { image } = create(base, wish('t', { numPartitions: 2 }));
  const add = (count: number, assignments: { brokerIds: number[] }[] | null = null, name = 't') =>
    planCreatePartitions(image, [{ name, count, assignments }], environment);
  assert.equal(said(add(2).result[0]), 'INVALID_PARTITIONS: Topic already has 2 partition(s).');
  assert.equal(
    said(add(1).result[0]),
    'INVALID_PARTITIONS: The topic t currently has 2 partition(s); 1 would not be an increase.',
  );
  assert.match(said(add(3, null, 'u').result[0]), /^UNKNOWN_TOPIC_OR_PARTITION/);
  assert.match(said(add(4, [{ brokerIds: [1] }]).result[0]), /^INVALID_REPLICA_ASSIGNMENT: Attempted to add 2/);
  assert.match(said(add(3, [{ brokerIds: [7] }]).result[0]), /^INVALID_REPLICA_ASSIGNMENT/);
  const { records, result } = add(4);
  assert.equal(said(result[0]), 'ok');
  const after = applyRecords(image, records.map(({ record }) => record));
  assert.deepEqual(after.topics.get('t')!.partitions.map(({ index }) => index), [0, 1, 2, 3]);
});

test('deleting what is not there', () => {
  const { result, records } = planDeleteTopics(base, ['Zlgz4xdyR9qfv0L6XgrA9Q']);
  assert.match(said(result[0]), /^UNKNOWN_TOPIC_ID/);
  assert.equal(records.length, 0);
});
