// The one list of API keys. What is dispatched, advertised or printed derives from it.
import { type Api } from './api.js';
import { produceApi } from './messages/00-produce.js';
import { fetchApi } from './messages/01-fetch.js';
import { listOffsetsApi } from './messages/02-list-offsets.js';
import { metadataApi } from './messages/03-metadata.js';
import { offsetCommitApi } from './messages/08-offset-commit.js';
import { offsetFetchApi } from './messages/09-offset-fetch.js';
import { findCoordinatorApi } from './messages/10-find-coordinator.js';
import { joinGroupApi } from './messages/11-join-group.js';
import { heartbeatApi } from './messages/12-heartbeat.js';
import { leaveGroupApi } from './messages/13-leave-group.js';
import { syncGroupApi } from './messages/14-sync-group.js';
import { describeGroupsApi } from './messages/15-describe-groups.js';
import { listGroupsApi } from './messages/16-list-groups.js';
import { saslHandshakeApi } from './messages/17-sasl-handshake.js';
import { apiVersionsApi } from './messages/18-api-versions.js';
import { createTopicsApi } from './messages/19-create-topics.js';
import { deleteTopicsApi } from './messages/20-delete-topics.js';
import { deleteRecordsApi } from './messages/21-delete-records.js';
import { initProducerIdApi } from './messages/22-init-producer-id.js';
import { offsetForLeaderEpochApi } from './messages/23-offset-for-leader-epoch.js';
import { describeConfigsApi } from './messages/32-describe-configs.js';
import { alterConfigsApi } from './messages/33-alter-configs.js';
import { describeLogDirsApi } from './messages/35-describe-log-dirs.js';
import { createPartitionsApi } from './messages/37-create-partitions.js';
import { deleteGroupsApi } from './messages/42-delete-groups.js';
import { incrementalAlterConfigsApi } from './messages/44-incremental-alter-configs.js';
import { offsetDeleteApi } from './messages/47-offset-delete.js';
import { describeClusterApi } from './messages/60-describe-cluster.js';
import { consumerGroupHeartbeatApi } from './messages/68-consumer-group-heartbeat.js';
import { listConfigResourcesApi } from './messages/74-list-config-resources.js';
import { describeTopicPartitionsApi } from './messages/75-describe-topic-partitions.js';

export const apis = [
  produceApi,
  fetchApi,
  listOffsetsApi,
  metadataApi,
  offsetCommitApi,
  offsetFetchApi,
  findCoordinatorApi,
  joinGroupApi,
  heartbeatApi,
  leaveGroupApi,
  syncGroupApi,
  describeGroupsApi,
  listGroupsApi,
  saslHandshakeApi,
  apiVersionsApi,
  createTopicsApi,
  deleteTopicsApi,
  deleteRecordsApi,
  initProducerIdApi,
  offsetForLeaderEpochApi,
  describeConfigsApi,
  alterConfigsApi,
  describeLogDirsApi,
  createPartitionsApi,
  deleteGroupsApi,
  incrementalAlterConfigsApi,
  offsetDeleteApi,
  describeClusterApi,
  consumerGroupHeartbeatApi,
  listConfigResourcesApi,
  describeTopicPartitionsApi,
] as const;

export type KnownApi = (typeof apis)[number];

const byKey = new Map<number, Api>(apis.map((api) => [api.key, api as Api]));
const byName = new Map<string, Api>(apis.map((api) => [api.name, api as Api]));

/** The API of a key, or undefined where the tables have none. */
export function apiOfKey(key: number): Api | undefined {
  return byKey.get(key);
}

export function apiOfName(name: string): Api | undefined {
  return byName.get(name);
}

/** `Fetch` for 1, and a readable stand-in for a key that the tables do not have. */
export function apiName(key: number): string {
  return byKey.get(key)?.name ?? `key ${key}`;
}
