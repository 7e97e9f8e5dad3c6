// The records by which this node tells the metadata log that it begins, is ready, and goes: those that a broker and
// controller of Kafka in one process would write.
import {
  abortTransactionRecord, beginTransactionRecord, brokerRegistrationChangeRecord, configRecord, endTransactionRecord, featureLevelRecord,
  partitionChangeRecord, registerBrokerRecord,
} from '../protocol/records/metadata/index.js';
import { MetadataError } from '../metadata/apply.js';
import {
  ELIGIBLE_LEADERS_FEATURE, ELIGIBLE_LEADERS_LEVEL, KRAFT_VERSION_FEATURE, LATEST_METADATA_VERSION, METADATA_VERSION_FEATURE,
  MINIMUM_METADATA_VERSION, recordVersions,
} from '../metadata/features.js';
import { MIN_IN_SYNC_REPLICAS, hasEligibleLeaders } from '../metadata/configs.js';
import { type MetadataImage, overridesOf, resourceTypes } from '../metadata/image.js';
import { type NewRecord, makeRecord } from '../metadata/records.js';
import { metadataVersionOf } from '../metadata/topics.js';
import { type FeatureRange, type ListenerAddress } from '../kafka/services.js';

export const supportedFeatures: readonly FeatureRange[] = [
  { name: METADATA_VERSION_FEATURE, min: MINIMUM_METADATA_VERSION, max: LATEST_METADATA_VERSION },
  { name: KRAFT_VERSION_FEATURE, min: 0, max: 1 },
  { name: ELIGIBLE_LEADERS_FEATURE, min: 0, max: ELIGIBLE_LEADERS_LEVEL },
];

const PLAINTEXT = 0;
const FENCED = 1;
const UNFENCED = -1;
const IN_CONTROLLED_SHUTDOWN = 1;

const NEWEST_FEATURES: readonly (readonly [string, number])[] = [
  [METADATA_VERSION_FEATURE, LATEST_METADATA_VERSION], [ELIGIBLE_LEADERS_FEATURE, ELIGIBLE_LEADERS_LEVEL],
];

/** The first records of a log: levels of features, from what a format tool left or the newest. */
export function bootstrapRecords(image: MetadataImage): NewRecord[] {
  const features = image.features.size > 0 ? [...image.features] : NEWEST_FEATURES;
  return [
    makeRecord(beginTransactionRecord, 0, { name: 'Bootstrap records' }),
    ...features.map(([name, featureLevel]) => makeRecord(featureLevelRecord, 0, { name, featureLevel })),
    makeRecord(endTransactionRecord, 0, {}),
  ];
}

/** With eligible leaders the number of replicas that must be in sync is the cluster's: what the configuration says is written down once. */
export function clusterDefaultRecords(image: MetadataImage, minInSyncReplicas: number): NewRecord[] {
  if (!hasEligibleLeaders(image) || overridesOf(image, resourceTypes.broker, '').has(MIN_IN_SYNC_REPLICAS)) return [];
  const value = String(minInSyncReplicas);
  return [makeRecord(configRecord, 0, { resourceType: resourceTypes.broker, resourceName: '', name: MIN_IN_SYNC_REPLICAS, value })];
}

export function abortRecords(): NewRecord[] {
  return [makeRecord(abortTransactionRecord, 0, { reason: 'the node that began it went away' })];
}

/** Throws where the log is of a version of Kafka that is not understood here. */
export function checkMetadataVersion(image: MetadataImage): void {
  const level = image.features.get(METADATA_VERSION_FEATURE);
  if (level !== undefined && level >= MINIMUM_METADATA_VERSION && level <= LATEST_METADATA_VERSION) return;
  const range = `${MINIMUM_METADATA_VERSION} to ${LATEST_METADATA_VERSION}`;
  throw new MetadataError(
    level === undefined
      ? 'the metadata log does not say which metadata.version it has'
      : `the metadata log has metadata.version ${level}; this broker understands ${range}`,
  );
}

export interface Registration {
  readonly nodeId: number;
  readonly incarnationId: string;
  readonly endpoints: readonly ListenerAddress[];
  readonly rack: string | null;
  readonly directoryId: string;
}

export function registerRecord(image: MetadataImage, registration: Registration): NewRecord {
  const version = recordVersions(metadataVersionOf(image)).registerBroker;
  return makeRecord(registerBrokerRecord, version, {
    brokerId: registration.nodeId,
    incarnationId: registration.incarnationId,
    // A broker's epoch is the offset at which it registered.
    brokerEpoch: image.offset + 1n,
    endPoints: registration.endpoints.map(({ name, host, port }) => ({ name, host, port, securityProtocol: PLAINTEXT })),
    features: supportedFeatures.map(({ name, min, max }) => ({ name, minSupportedVersion: min, maxSupportedVersion: max })),
    rack: registration.rack,
    fenced: true,
    ...(version >= 3 ? { logDirs: [registration.directoryId] } : {}),
  });
}

function changeRecord(image: MetadataImage, nodeId: number, version: number, change: object): NewRecord {
  const brokerEpoch = image.brokers.get(nodeId)?.epoch ?? -1n;
  return makeRecord(brokerRegistrationChangeRecord, version, { brokerId: nodeId, brokerEpoch, ...change });
}

export function unfenceRecord(image: MetadataImage, nodeId: number): NewRecord {
  return changeRecord(image, nodeId, 0, { fenced: UNFENCED });
}

export function farewellRecords(image: MetadataImage, nodeId: number): NewRecord[] {
  return [
    changeRecord(image, nodeId, 1, { inControlledShutdown: IN_CONTROLLED_SHUTDOWN }),
    changeRecord(image, nodeId, 0, { fenced: FENCED }),
  ];
}

/**
 * Makes this node the leader of what it holds and nobody leads, and gives a new leader epoch to logs that may have lost
 * records, so that consumers which read those notice.
 */
export function electionRecords(
  image: MetadataImage, nodeId: number, mayHaveLost: (topicName: string) => boolean,
): NewRecord[] {
  const version = recordVersions(metadataVersionOf(image)).partitionChange;
  const records: NewRecord[] = [];
  for (const topic of image.topics.values()) {
    const hasNewEpoch = mayHaveLost(topic.name);
    for (const { index, leader, replicas, eligibleLeaderReplicas, lastKnownElr } of topic.partitions) {
      if (!replicas.includes(nodeId) || (leader === nodeId && !hasNewEpoch)) continue;
      records.push(makeRecord(partitionChangeRecord, version, {
        partitionId: index,
        topicId: topic.id,
        isr: [nodeId],
        leader: nodeId,
        // Left by a Kafka that knew of eligible leaders; the elected one makes them obsolete.
        ...(eligibleLeaderReplicas.length > 0 ? { eligibleLeaderReplicas: [] } : {}),
        ...(lastKnownElr.length > 0 ? { lastKnownElr: [] } : {}),
      }));
    }
  }
  return records;
}
