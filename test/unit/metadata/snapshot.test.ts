import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ImageFolder, applyRecords } from '../../../src/metadata/apply.js';
import { type MetadataImage, emptyImage } from '../../../src/metadata/image.js';
import { type NewRecord, makeRecord } from '../../../src/metadata/records.js';
import { snapshotRecords } from '../../../src/metadata/snapshot.js';
import {
  accessControlEntryRecord, clientQuotaRecord, configRecord, decodeMetadataRecord, delegationTokenRecord, featureLevelRecord, noOpRecord,
  partitionChangeRecord, partitionRecord, producerIdsRecord, registerBrokerRecord, registerControllerRecord, removeAccessControlEntryRecord,
  removeTopicRecord, removeUserScramCredentialRecord, topicRecord, userScramCredentialRecord,
} from '../../../src/protocol/records/metadata/index.js';

const idOf = (n: number) => Buffer.alloc(16, n).toString('base64url');

function fold(records: readonly NewRecord[]): MetadataImage {
  return applyRecords(emptyImage, records.map(({ record }) => record));
}

function again(image: MetadataImage): MetadataImage {
  const folder = new ImageFolder(emptyImage);
  for (const bytes of snapshotRecords(image)) folder.add(image.offset, image.epoch, decodeMetadataRecord(bytes));
  return folder.finish();
}

/** Everything in an image, in an order that does not depend on how it came about. */
function plain(image: MetadataImage): unknown {
  const sorted = <T>(entries: Iterable<[string, T]>) => [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    offset: image.offset, epoch: image.epoch, nextProducerId: image.nextProducerId, partitionCount: image.partitionCount,
    features: sorted(image.features), topics: sorted(image.topics.entries()), names: sorted(image.topicNames.entries()),
    colliding: sorted(image.collidingNames.entries()), configs: sorted([...image.configs.entries()].map(([key, values]) => [key, sorted(values)])),
    brokers: [...image.brokers], kept: sorted(image.kept.entries()),
  };
}

function everything(level: number, partitionVersion: number, brokerVersion: number): NewRecord[] {
  return [
    makeRecord(featureLevelRecord, 0, { name: 'group.version', featureLevel: 1 }),
    makeRecord(featureLevelRecord, 0, { name: 'metadata.version', featureLevel: level }),
    makeRecord(registerBrokerRecord, brokerVersion, {
      brokerId: 1, incarnationId: idOf(7), brokerEpoch: 11n, rack: 'r', fenced: false,
      endPoints: [{ name: 'PLAINTEXT', host: 'h', port: 9092, securityProtocol: 0 }],
      features: [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 33 }],
      ...(brokerVersion >= 3 ? { logDirs: [idOf(9)] } : {}),
      ...(brokerVersion >= 4 ? { cordonedLogDirs: [idOf(8)] } : {}),
    }),
    makeRecord(registerControllerRecord, 0, { controllerId: 5, incarnationId: idOf(6), endPoints: [{ name: 'C', host: 'h', port: 1, securityProtocol: 0 }] }),
    ...[1, 2, 3].flatMap((n) => [
      makeRecord(topicRecord, 0, { name: `a.b_${n}`, topicId: idOf(20 + n) }),
      ...[0, 1].map((partitionId) => makeRecord(partitionRecord, partitionVersion, {
        partitionId, topicId: idOf(20 + n), replicas: [1, 2], isr: [1], leader: 1, leaderEpoch: 3, partitionEpoch: 4, removingReplicas: [2],
        ...(partitionVersion >= 1 ? { directories: [idOf(9), idOf(8)] } : {}),
        ...(partitionVersion >= 2 ? { eligibleLeaderReplicas: [2], lastKnownElr: [1] } : {}),
      })),
    ]),
    makeRecord(partitionChangeRecord, 0, { partitionId: 1, topicId: idOf(22), leader: 2 }),
    makeRecord(removeTopicRecord, 0, { topicId: idOf(23) }),
    makeRecord(configRecord, 0, { resourceType: 2, resourceName: 'a.b_1', name: 'retention.ms', value: '5' }),
    makeRecord(configRecord, 0, { resourceType: 4, resourceName: '', name: 'log.retention.ms', value: '' }),
    makeRecord(producerIdsRecord, 0, { brokerId: 1, nextProducerId: 3000n }),
    makeRecord(clientQuotaRecord, 0, { entity: [{ entityType: 'user', entityName: null }], key: 'producer_byte_rate', value: 10.5 }),
    makeRecord(clientQuotaRecord, 0, { entity: [{ entityType: 'user', entityName: 'gone' }], key: 'producer_byte_rate', value: 1 }),
    makeRecord(clientQuotaRecord, 0, { entity: [{ entityType: 'user', entityName: 'gone' }], key: 'producer_byte_rate', remove: true }),
    makeRecord(accessControlEntryRecord, 0, { id: idOf(1), resourceName: 'x', principal: 'User:a', host: '*' }),
    makeRecord(accessControlEntryRecord, 0, { id: idOf(2), resourceName: 'y', principal: 'User:b', host: '*' }),
    makeRecord(removeAccessControlEntryRecord, 0, { id: idOf(1) }),
    makeRecord(userScramCredentialRecord, 0, { name: 'u', mechanism: 1, salt: Buffer.from('s'), storedKey: Buffer.from('k'), serverKey: Buffer.from('v'), iterations: 4096 }),
    makeRecord(userScramCredentialRecord, 0, { name: 'w', mechanism: 2, salt: Buffer.from('s'), storedKey: Buffer.from('k'), serverKey: Buffer.from('v'), iterations: 4096 }),
    makeRecord(removeUserScramCredentialRecord, 0, { name: 'u', mechanism: 1 }),
    makeRecord(delegationTokenRecord, 0, { owner: 'o', requester: 'r', tokenId: 't' }),
    makeRecord(noOpRecord, 0, {}),
  ];
}

for (const [level, partitionVersion, brokerVersion] of [[33, 2, 4], [17, 1, 3], [8, 0, 2], [7, 0, 1]] as const) {
  test(`a snapshot at metadata.version ${level} makes the same image again`, () => {
    const image = fold(everything(level, partitionVersion, brokerVersion));
    assert.deepEqual(plain(again(image)), plain(image));
    assert.equal(image.kept.size, 5);
    const [first] = snapshotRecords(image);
    const { name, value } = decodeMetadataRecord(first!);
    assert.deepEqual([name, (value as { name: string }).name], ['FeatureLevelRecord', 'metadata.version']);
  });
}
