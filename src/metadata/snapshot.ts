// An image as the records that make it again, in the order of Kafka's snapshots. Pure, and lazy: a large cluster is not turned into bytes in one go.
import {
  configRecord, encodeMetadataRecord, featureLevelRecord, metadataRecords, partitionRecord, producerIdsRecord, registerBrokerRecord, topicRecord,
} from '../protocol/records/metadata/index.js';
import { type MetadataRecord } from '../protocol/records/metadata/index.js';
import { type FieldTable, type Input } from '../protocol/schema.js';
import { METADATA_VERSION_FEATURE, recordVersions } from './features.js';
import { type BrokerImage, type MetadataImage, type PartitionImage, parseConfigKey } from './image.js';
import { metadataVersionOf } from './topics.js';

const NO_BROKER = -1;

const tables = new Map<string, MetadataRecord>(metadataRecords.map((record) => [record.name, record as MetadataRecord]));

export function* snapshotRecords(image: MetadataImage): Generator<Buffer> {
  const versions = recordVersions(metadataVersionOf(image));
  // The level of the records comes first: whoever reads the rest goes by it.
  const features = [...image.features].sort(([a], [b]) => Number(b === METADATA_VERSION_FEATURE) - Number(a === METADATA_VERSION_FEATURE));
  for (const [name, featureLevel] of features) yield encodeMetadataRecord(featureLevelRecord, 0, { name, featureLevel });
  for (const broker of image.brokers.values()) yield brokerBytes(broker, versions.registerBroker);
  for (const { name, id, partitions } of image.topics.values()) {
    yield encodeMetadataRecord(topicRecord, 0, { name, topicId: id });
    for (const partition of partitions) yield partitionBytes(id, partition, versions.partition);
  }
  for (const [key, overrides] of image.configs.entries()) {
    const { resourceType, resourceName } = parseConfigKey(key);
    for (const [name, value] of overrides) yield encodeMetadataRecord(configRecord, 0, { resourceType, resourceName, name, value });
  }
  if (image.nextProducerId > 0n) {
    yield encodeMetadataRecord(producerIdsRecord, 0, { brokerId: NO_BROKER, brokerEpoch: -1n, nextProducerId: image.nextProducerId });
  }
  for (const { name, version, value } of image.kept.values()) yield encodeMetadataRecord(tables.get(name)!, version, value as Input<FieldTable>);
}

function brokerBytes(broker: BrokerImage, version: number): Buffer {
  return encodeMetadataRecord(registerBrokerRecord, version, {
    brokerId: broker.id,
    incarnationId: broker.incarnationId,
    brokerEpoch: broker.epoch,
    endPoints: broker.endpoints,
    features: broker.features,
    rack: broker.rack,
    fenced: broker.fenced,
    ...(version >= 1 ? { inControlledShutdown: broker.inControlledShutdown } : {}),
    ...(version >= 3 ? { logDirs: broker.logDirs } : {}),
    ...(version >= 4 ? { cordonedLogDirs: broker.cordonedLogDirs } : {}),
  });
}

function partitionBytes(topicId: string, partition: PartitionImage, version: number): Buffer {
  const orNull = (ids: readonly number[]) => (ids.length === 0 ? null : ids);
  return encodeMetadataRecord(partitionRecord, version, {
    partitionId: partition.index,
    topicId,
    replicas: partition.replicas,
    isr: partition.isr,
    removingReplicas: partition.removingReplicas,
    addingReplicas: partition.addingReplicas,
    leader: partition.leader,
    leaderRecoveryState: partition.leaderRecoveryState,
    leaderEpoch: partition.leaderEpoch,
    partitionEpoch: partition.partitionEpoch,
    ...(version >= 1 ? { directories: partition.directories } : {}),
    ...(version >= 2 ? { eligibleLeaderReplicas: orNull(partition.eligibleLeaderReplicas), lastKnownElr: orNull(partition.lastKnownElr) } : {}),
  });
}
