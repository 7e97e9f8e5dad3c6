import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ProtocolError, buildBatch, consumerProtocolSubscription, decodeAssignment, decodeControlRecord, decodeGroupRecord,
  decodeMetadataRecord, decodeSubscription, encodeControlRecord, encodeGroupKey, encodeGroupValue, encodeMetadataRecord,
  errorCode, errorName, errorOfCode, groupRecords, kafkaErrors, metadataRecords, offsetCommitValueVersion, parseBatches,
  partitionRecord, readRecords, topicRecord,
} from '../../../src/protocol/index.js';

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';

function refused(body: () => unknown, kind: ProtocolError['kind']): void {
  assert.throws(body, (error) => error instanceof ProtocolError && error.kind === kind);
}

test('a metadata record is frame version, type, version, message', () => {
  const bytes = encodeMetadataRecord(topicRecord, 0, { name: 'abc', topicId: TOPIC_ID });
  assert.equal(bytes.toString('hex'), '01' + '02' + '00' + '04616263' + `${'00'.repeat(15)}01` + '00');
  const record = decodeMetadataRecord(bytes);
  assert.ok(record.name === 'TopicRecord');
  const topicId: string = record.value.topicId;
  assert.deepEqual([record.version, record.value.name, topicId], [0, 'abc', TOPIC_ID]);
});

test('metadata records that cannot be are refused', () => {
  const bytes = encodeMetadataRecord(partitionRecord, 1, { partitionId: 3, replicas: [1], isr: [1] });
  const at = (index: number, value: number) => {
    const copy = Buffer.from(bytes);
    copy[index] = value;
    return copy;
  };
  refused(() => decodeMetadataRecord(at(0, 0)), 'unsupported-version');
  refused(() => decodeMetadataRecord(at(0, 2)), 'unsupported-version');
  refused(() => decodeMetadataRecord(at(1, 100)), 'unsupported-version');
  refused(() => decodeMetadataRecord(at(2, 9)), 'unsupported-version');
  refused(() => decodeMetadataRecord(Buffer.concat([bytes, Buffer.alloc(1)])), 'malformed');
  refused(() => decodeMetadataRecord(bytes.subarray(0, 5)), 'truncated');
});

test('types of metadata records are listed once', () => {
  const types = metadataRecords.map((record) => record.type);
  assert.deepEqual(types, [...new Set(types)].sort((a, b) => a - b));
});

test('control records have a key of version and type', () => {
  const voters = [{ voterId: 1 }];
  const leader = encodeControlRecord('leaderChange', 0, { leaderId: 1, voters, grantingVoters: voters });
  assert.equal(leader.key.toString('hex'), '0000' + '0002');
  assert.equal(leader.value.toString('hex'), '0000' + '00000001' + '020000000100' + '020000000100' + '00');
  const batch = parseBatches(buildBatch({ records: [leader], timestamp: 0n, isControl: true }));
  const [record] = readRecords(batch[0] as NonNullable<(typeof batch)[0]>);
  const decoded = decodeControlRecord(record?.key as Buffer, record?.value as Buffer);
  assert.ok(decoded.kind === 'leaderChange');
  assert.deepEqual(decoded.value.voters.map((v) => v.voterId), [1]);
});

test('a control record of version 1 says so itself', () => {
  const voters = [{ voterId: 1, voterDirectoryId: TOPIC_ID }];
  const { key, value } = encodeControlRecord('leaderChange', 1, { version: 1, leaderId: 1, voters });
  const decoded = decodeControlRecord(key, value);
  assert.ok(decoded.kind === 'leaderChange');
  assert.deepEqual([decoded.version, decoded.value.voters[0]?.voterDirectoryId], [1, TOPIC_ID]);
});

test('a transaction marker has its version in front', () => {
  const { key, value } = encodeControlRecord('commit', 0, { coordinatorEpoch: 7 });
  assert.equal(key.toString('hex'), '00000001');
  assert.equal(value.toString('hex'), '0000' + '00000007');
  const decoded = decodeControlRecord(key, value);
  assert.ok(decoded.kind === 'commit' && decoded.value.coordinatorEpoch === 7);
  assert.deepEqual(decodeControlRecord(Buffer.from('00000063', 'hex'), value), { kind: 'unknown', type: 99 });
  refused(() => decodeControlRecord(Buffer.from('0000', 'hex'), value), 'truncated');
  refused(() => decodeControlRecord(Buffer.from('ffff0001', 'hex'), value), 'malformed');
});

test('offsets of groups have their type and version in front', () => {
  const key = encodeGroupKey('offsetCommit', { group: 'g', topic: 't', partition: 2 });
  assert.equal(key.toString('hex'), '0001' + '000167' + '000174' + '00000002');
  const commit = { offset: 5n, leaderEpoch: 1, metadata: 'm', commitTimestamp: 9n };
  const version = offsetCommitValueVersion(commit);
  assert.equal(version, 4);
  assert.equal(offsetCommitValueVersion({ ...commit, expireTimestamp: 10n }), 1);
  const value = encodeGroupValue('offsetCommit', version, { ...commit, topicId: TOPIC_ID });
  assert.equal(
    value.toString('hex'),
    '0004' + '0000000000000005' + '00000001' + '026d' + '0000000000000009' + `010010${'00'.repeat(15)}01`,
  );
  const record = decodeGroupRecord(key, value);
  assert.ok(record.kind === 'offsetCommit');
  assert.deepEqual([record.key.group, record.valueVersion, record.value?.topicId], ['g', 4, TOPIC_ID]);
});

test('tombstones and foreign records of the offsets topic', () => {
  const key = encodeGroupKey('groupMetadata', { group: 'g' });
  assert.equal(key.toString('hex'), '0002' + '000167');
  assert.deepEqual(decodeGroupRecord(key, null), {
    kind: 'groupMetadata', key: { group: 'g' }, value: null, valueVersion: null,
  });
  assert.deepEqual(decodeGroupRecord(Buffer.from('0003000167', 'hex'), null), { kind: 'unknown', type: 3 });
  refused(() => decodeGroupRecord(key, Buffer.from('0009', 'hex')), 'unsupported-version');
  refused(() => decodeGroupRecord(key, Buffer.from('00', 'hex')), 'truncated');
  refused(() => decodeGroupRecord(null, null), 'malformed');
});

test('every version of a group\'s metadata can be read', () => {
  const key = encodeGroupKey('groupMetadata', { group: 'g' });
  const { min, max } = groupRecords.groupMetadata.value.versions;
  for (let version = min; version <= max; version++) {
    const members = [{ memberId: 'm', clientId: 'c', clientHost: '/127.0.0.1', assignment: Buffer.from([1]) }];
    const group = { protocolType: 'consumer', generation: 3, leader: 'm', members };
    const value = encodeGroupValue('groupMetadata', version, group);
    const record = decodeGroupRecord(key, value);
    assert.ok(record.kind === 'groupMetadata');
    assert.deepEqual(record.value?.members.map((m) => m.memberId), ['m'], `v${version}`);
  }
});

test('blobs of consumers are read by their version, later ones as the newest', () => {
  const body = consumerProtocolSubscription.encode(3, { topics: ['a'], rackId: 'r' });
  for (const version of ['0003', '0009']) {
    const blob = Buffer.concat([Buffer.from(version, 'hex'), body, Buffer.from('0a')]);
    assert.deepEqual([decodeSubscription(blob).topics, decodeSubscription(blob).rackId], [['a'], 'r']);
  }
  assert.deepEqual(decodeAssignment(Buffer.from(`0000${'00000001'}000174${'00000001'}00000005${'ffffffff'}`, 'hex')), {
    assignedPartitions: [{ topic: 't', partitions: [5] }], userData: null,
  });
  refused(() => decodeSubscription(Buffer.alloc(0)), 'truncated');
  refused(() => decodeSubscription(Buffer.from('ffff', 'hex')), 'unsupported-version');
});

test('errors are found by name and by code', () => {
  assert.equal(errorCode('NOT_COORDINATOR'), 16);
  assert.deepEqual([errorOfCode(16)?.name, errorOfCode(16)?.retriable], ['NOT_COORDINATOR', true]);
  assert.equal(errorName(-1), 'UNKNOWN_SERVER_ERROR');
  assert.equal(errorName(9_999), 'error 9999');
  const codes = Object.values(kafkaErrors).map((row) => row.code);
  assert.equal(new Set(codes).size, codes.length);
});
