// What is timed: each task is one call as the control plane makes it.
import { type Binding } from '../../src/native/binding.js';
import { apiVersionsApi, createTopicsApi, heartbeatApi, metadataApi } from '../../src/protocol/index.js';
import { errorOfCode } from '../../src/protocol/index.js';

export interface MicroTask {
  readonly name: string;
  run(): unknown;
}

const TOPICS = 10;
const PARTITIONS = 16;

function metadataResponse() {
  const partition = (partitionIndex: number) => ({ errorCode: 0, partitionIndex, leaderId: 1, leaderEpoch: 0, replicaNodes: [1], isrNodes: [1], offlineReplicas: [] });
  const topic = (index: number) => ({
    errorCode: 0, name: `topic-${index}`, topicId: 'AAAAAAAAAAAAAAAAAAAAAA', isInternal: false, partitions: Array.from({ length: PARTITIONS }, (_, at) => partition(at)),
  });
  return {
    brokers: [{ nodeId: 1, host: '127.0.0.1', port: 9092 }], clusterId: 'AAAAAAAAAAAAAAAAAAAAAA', controllerId: 1, topics: Array.from({ length: TOPICS }, (_, index) => topic(index)),
  };
}

export function microTasks(binding: Binding): MicroTask[] {
  const metadata = metadataResponse();
  const metadataBytes = metadataApi.response.encode(12, metadata);
  const heartbeat = { groupId: 'group', generationId: 7, memberId: 'consumer-1-3f2a', groupInstanceId: null };
  const heartbeatBytes = heartbeatApi.request.encode(4, heartbeat);
  const createBytes = createTopicsApi.request.encode(7, { topics: [{ name: 'topic', numPartitions: 16, replicationFactor: 1, assignments: [], configs: [{ name: 'retention.ms', value: '1000' }] }] });
  const versions = { errorCode: errorOfCode(0)?.code ?? 0, apiKeys: Array.from({ length: 60 }, (_, apiKey) => ({ apiKey, minVersion: 0, maxVersion: 9 })) };
  const small = Buffer.alloc(16);
  const block = Buffer.alloc(64 << 10, 1);
  return [
    { name: `protocol: Metadata response written, ${TOPICS} topics of ${PARTITIONS} partitions`, run: () => metadataApi.response.encode(12, metadata) },
    { name: `protocol: Metadata response read, ${TOPICS} topics of ${PARTITIONS} partitions`, run: () => metadataApi.response.decode(metadataBytes, 12) },
    { name: 'protocol: Heartbeat request read', run: () => heartbeatApi.request.decode(heartbeatBytes, 4) },
    { name: 'protocol: Heartbeat response written', run: () => heartbeatApi.response.encode(4, { errorCode: 0 }) },
    { name: 'protocol: CreateTopics request read', run: () => createTopicsApi.request.decode(createBytes, 7) },
    { name: 'protocol: ApiVersions response written', run: () => apiVersionsApi.response.encode(4, versions) },
    { name: 'boundary: a call into the addon and back (CRC32C of 16 bytes)', run: () => binding.crc32c(small) },
    { name: 'boundary: CRC32C of 64 KiB', run: () => binding.crc32c(block) },
  ];
}
