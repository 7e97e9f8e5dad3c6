import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ImageFolder, MetadataError, applyRecords } from '../../../src/metadata/apply.js';
import { emptyImage, overridesOf, resourceTypes, topicById } from '../../../src/metadata/image.js';
import { type NewRecord, makeRecord } from '../../../src/metadata/records.js';
import {
  abortTransactionRecord, accessControlEntryRecord, beginTransactionRecord, brokerRegistrationChangeRecord, configRecord,
  endTransactionRecord, featureLevelRecord, noOpRecord, partitionChangeRecord, partitionRecord, producerIdsRecord,
  registerBrokerRecord, removeTopicRecord, topicRecord,
} from '../../../src/protocol/records/metadata/index.js';

const ID = 'Zlgz4xdyR9qfv0L6XgrA9Q';
const DIRECTORY = '1XM8VGOFSw0hyu7xZEomCg';

function fold(...records: NewRecord[]) {
  return applyRecords(emptyImage, records.map(({ record }) => record));
}

const topic = (name = 't', topicId = ID) => makeRecord(topicRecord, 0, { name, topicId });
const partition = (partitionId: number, topicId = ID) => makeRecord(partitionRecord, 2, {
  partitionId, topicId, replicas: [1], isr: [1], leader: 1, leaderEpoch: 0, partitionEpoch: 0, directories: [DIRECTORY],
});
const config = (name: string, value: string | null, resourceName = 't') =>
  makeRecord(configRecord, 0, { resourceType: resourceTypes.topic, resourceName, name, value });

test('a topic with its partitions and settings, found by name and by id', () => {
  const image = fold(topic(), config('retention.ms', '5'), partition(1), partition(0));
  assert.equal(image.offset, 3n);
  assert.equal(image.partitionCount, 2);
  assert.equal(image.topics.get('t')?.id, ID);
  assert.deepEqual(topicById(image, ID)?.partitions.map(({ index, leader, directories }) => ({ index, leader, directories })), [
    { index: 0, leader: 1, directories: [DIRECTORY] }, { index: 1, leader: 1, directories: [DIRECTORY] },
  ]);
  assert.equal(overridesOf(image, resourceTypes.topic, 't').get('retention.ms'), '5');
});

test('the image before a change stays as it was', () => {
  const before = fold(topic(), partition(0), config('a', '1'));
  const after = applyRecords(before, [
    partition(1).record, config('a', '2').record, makeRecord(partitionChangeRecord, 2, { partitionId: 0, topicId: ID, leader: 1 }).record,
  ]);
  assert.equal(before.topics.get('t')!.partitions.length, 1);
  assert.equal(before.topics.get('t')!.partitions[0]!.leaderEpoch, 0);
  assert.equal(overridesOf(before, resourceTypes.topic, 't').get('a'), '1');
  assert.equal(after.topics.get('t')!.partitions.length, 2);
  assert.equal(overridesOf(after, resourceTypes.topic, 't').get('a'), '2');
});

test('removing a topic takes its partitions and settings along, and the name can be used again', () => {
  const OTHER = 'gfQyoDp8SDyBgS5SgrCy8w';
  const image = fold(
    topic(), config('a', '1'), partition(0), makeRecord(removeTopicRecord, 0, { topicId: ID }), topic('t', OTHER), partition(0, OTHER),
  );
  assert.equal(image.partitionCount, 1);
  assert.equal(topicById(image, ID), undefined);
  assert.equal(image.topics.get('t')?.id, OTHER);
  assert.equal(overridesOf(image, resourceTypes.topic, 't').size, 0);
});

test('a change of leader raises the leader epoch, any change the partition epoch', () => {
  const change = (value: object) => makeRecord(partitionChangeRecord, 2, { partitionId: 0, topicId: ID, ...value });
  const image = fold(topic(), partition(0), change({ isr: [], leader: -1 }), change({ isr: [1] }), change({ leader: 1 }));
  const { leader, leaderEpoch, partitionEpoch, isr } = image.topics.get('t')!.partitions[0]!;
  assert.deepEqual({ leader, leaderEpoch, partitionEpoch, isr }, { leader: 1, leaderEpoch: 2, partitionEpoch: 3, isr: [1] });
});

test('an override set to null is gone, and with the last one its resource', () => {
  const image = fold(topic(), config('a', '1'), config('b', '2'), config('a', null));
  assert.deepEqual([...overridesOf(image, resourceTypes.topic, 't')], [['b', '2']]);
  assert.equal(applyRecords(image, [config('b', null).record]).configs.size, 0);
});

test('brokers register and are fenced and unfenced', () => {
  const register = makeRecord(registerBrokerRecord, 4, {
    brokerId: 1, incarnationId: ID, brokerEpoch: 11n, rack: 'r', logDirs: [DIRECTORY],
    endPoints: [{ name: 'PLAINTEXT', host: 'h', port: 9092, securityProtocol: 0 }],
  });
  const registered = fold(register);
  assert.deepEqual(registered.brokers.get(1), {
    id: 1, epoch: 11n, incarnationId: ID, endpoints: [{ name: 'PLAINTEXT', host: 'h', port: 9092, securityProtocol: 0 }],
    rack: 'r', fenced: true, inControlledShutdown: false, logDirs: [DIRECTORY], cordonedLogDirs: null, features: [],
  });
  const change = (value: object) => makeRecord(brokerRegistrationChangeRecord, 1, { brokerId: 1, brokerEpoch: 11n, ...value }).record;
  const unfenced = applyRecords(registered, [change({ fenced: -1 })]);
  assert.equal(unfenced.brokers.get(1)!.fenced, false);
  const leaving = applyRecords(unfenced, [change({ inControlledShutdown: 1 })]);
  assert.equal(leaving.brokers.get(1)!.fenced, false);
  assert.equal(leaving.brokers.get(1)!.inControlledShutdown, true);
});

test('features, producer ids, and records of what is not served here', () => {
  const image = fold(
    makeRecord(featureLevelRecord, 0, { name: 'metadata.version', featureLevel: 33 }),
    makeRecord(featureLevelRecord, 0, { name: 'group.version', featureLevel: 1 }),
    makeRecord(featureLevelRecord, 0, { name: 'group.version', featureLevel: 0 }),
    makeRecord(producerIdsRecord, 0, { brokerId: 1, nextProducerId: 3000n }),
    makeRecord(noOpRecord, 0, {}),
    makeRecord(accessControlEntryRecord, 0, { id: ID, resourceName: 'x', principal: 'User:a', host: '*' }),
  );
  assert.deepEqual([...image.features], [['metadata.version', 33]]);
  assert.equal(image.nextProducerId, 3000n);
  assert.equal(image.offset, 5n);
});

test('records that contradict the image are refused', () => {
  assert.throws(() => fold(partition(0)), MetadataError);
  assert.throws(() => fold(topic(), topic()), MetadataError);
  assert.throws(() => fold(topic(), topic('u', ID)), MetadataError);
  assert.throws(() => fold(makeRecord(removeTopicRecord, 0, { topicId: ID })), MetadataError);
  assert.throws(() => fold(topic(), makeRecord(partitionChangeRecord, 2, { partitionId: 3, topicId: ID })), MetadataError);
  assert.throws(() => fold(makeRecord(brokerRegistrationChangeRecord, 0, { brokerId: 9 })), MetadataError);
  assert.throws(() => fold(topic(), partition(2_000_000_000)), MetadataError);
});

test('a metadata transaction counts when it ends, and not when it is aborted or still open', () => {
  const begin = makeRecord(beginTransactionRecord, 0, { name: 'x' });
  const end = makeRecord(endTransactionRecord, 0, {});
  const abort = makeRecord(abortTransactionRecord, 0, {});
  const run = (...records: NewRecord[]) => {
    const folder = new ImageFolder(emptyImage);
    records.forEach(({ record }, index) => folder.add(BigInt(index), 1, record));
    return { image: folder.finish(), isOpen: folder.isInTransaction };
  };
  assert.equal(run(begin, topic(), partition(0), end).image.topics.size, 1);
  assert.equal(run(begin, topic(), partition(0), abort).image.topics.size, 0);
  const open = run(begin, topic(), partition(0));
  assert.equal(open.image.topics.size, 0);
  assert.equal(open.isOpen, true);
  assert.equal(open.image.offset, 2n);
  assert.throws(() => run(end), MetadataError);
  assert.throws(() => run(begin, begin), MetadataError);
});

test('a whole log with a hole among the partitions of a topic is refused', () => {
  const folder = new ImageFolder(emptyImage);
  folder.add(0n, 1, topic().record);
  folder.add(1n, 1, partition(1).record);
  assert.throws(() => folder.finish(), /no partition 0/);
});
