// Produce and Fetch in every version, as values whose bytes Apache Kafka's own classes have written into a fixture
// (test/native/kafka/golden_messages.txt). The engine's codec and the control plane's are both held to it; what the values mean stands
// again in test/native/kafka/golden_test.cc.
export interface GoldenMessage {
  readonly name: 'ProduceRequest' | 'ProduceResponse' | 'FetchRequest' | 'FetchResponse';
  readonly version: number;
  /** In the form that Kafka's JSON converters read. */
  readonly json: Readonly<Record<string, unknown>>;
}

export const GOLDEN_FILE = 'test/native/kafka/golden_messages.txt';

const ids = ['AQIDBAUGBwgJCgsMDQ4PEA', 'EBESExQVFhcYGRobHB0eHw'] as const;
const names = ['orders', 'a'] as const;
const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);

function topic(index: 0 | 1, version: number, idsFrom: number, nameField: string): Record<string, unknown> {
  return version >= idsFrom ? { topicId: ids[index] } : { [nameField]: names[index] };
}

function produceRequest(version: number): GoldenMessage {
  const json = {
    transactionalId: version % 2 === 0 ? 'tx-1' : null,
    acks: -1,
    timeoutMs: 1500,
    topicData: [
      { ...topic(0, version, 13, 'name'), partitionData: [{ index: 3, records: 'YWJjZA==' }, { index: 70000, records: null }] },
      { ...topic(1, version, 13, 'name'), partitionData: [{ index: 0, records: '' }] },
    ],
  };
  return { name: 'ProduceRequest', version, json };
}

function produceResponse(version: number): GoldenMessage {
  const row = (index: number, errorCode: number, baseOffset: number, time: number, start: number, records: unknown[], message: string | null) => ({
    index, errorCode, baseOffset, logAppendTimeMs: time,
    ...(version >= 5 ? { logStartOffset: start } : {}),
    ...(version >= 8 ? { recordErrors: records, errorMessage: message } : {}),
  });
  const json = {
    responses: [
      { ...topic(0, version, 13, 'name'), partitionResponses: [
        row(3, 0, 1234567890123, -1, 7, [], null),
        row(4, 87, -1, -1, 9, [{ batchIndex: 2, batchIndexErrorMessage: 'no key' }], 'two records'),
      ] },
      { ...topic(1, version, 13, 'name'), partitionResponses: [row(0, 0, 5, 1700000000000, 0, [], null)] },
    ],
    throttleTimeMs: 0,
  };
  return { name: 'ProduceResponse', version, json };
}

function fetchRequest(version: number): GoldenMessage {
  const partition = (index: number, offset: number) => ({
    partition: index,
    ...(version >= 9 ? { currentLeaderEpoch: 5 } : {}),
    fetchOffset: offset,
    ...(version >= 12 ? { lastFetchedEpoch: 4 } : {}),
    ...(version >= 5 ? { logStartOffset: -1 } : {}),
    partitionMaxBytes: 1048576,
    ...(version >= 17 ? { replicaDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAQ' } : {}),
    ...(version >= 18 ? { highWatermark: 99 } : {}),
  });
  const json = {
    ...(version <= 14 ? { replicaId: -1 } : { replicaState: { replicaId: 8, replicaEpoch: 77 } }),
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: 52428800,
    isolationLevel: 1,
    ...(version >= 7 ? { sessionId: 123456, sessionEpoch: 9 } : {}),
    topics: [
      { ...topic(0, version, 13, 'topic'), partitions: [partition(3, 1234567890123), partition(4, 0)] },
      { ...topic(1, version, 13, 'topic'), partitions: [partition(0, 17)] },
    ],
    ...(version >= 7 ? { forgottenTopicsData: [{ ...topic(1, version, 13, 'topic'), partitions: [1, 2] }] } : {}),
    ...(version >= 11 ? { rackId: 'rack' } : {}),
    ...(version >= 12 ? { clusterId: 'cluster' } : {}),
  };
  return { name: 'FetchRequest', version, json };
}

function fetchResponse(version: number): GoldenMessage {
  const row = (index: number, errorCode: number, high: number, stable: number, start: number, records: string) => ({
    partitionIndex: index, errorCode, highWatermark: high, lastStableOffset: stable,
    ...(version >= 5 ? { logStartOffset: start } : {}),
    abortedTransactions: null as unknown,
    ...(version >= 11 ? { preferredReadReplica: -1 } : {}),
    records,
  });
  const json = {
    throttleTimeMs: 0,
    ...(version >= 7 ? { errorCode: 0, sessionId: 424242 } : {}),
    responses: [
      { ...topic(0, version, 13, 'topic'), partitions: [
        { ...row(3, 0, 1234567890123, 1234567890120, 7, 'cmVjb3Jkcw=='), abortedTransactions: [{ producerId: 12, firstOffset: 34 }] },
        { ...row(4, 74, -1, -1, -1, ''), ...(version >= 16 ? { currentLeader: { leaderId: 1, leaderEpoch: 6 } } : {}) },
      ] },
      { ...topic(1, version, 13, 'topic'), partitions: [
        { ...row(0, 0, 20, 20, 0, ''), ...(version >= 12 ? { divergingEpoch: { epoch: 3, endOffset: 15 } } : {}) },
      ] },
    ],
  };
  return { name: 'FetchResponse', version, json };
}

export const goldenMessages: readonly GoldenMessage[] = [
  ...range(3, 13).flatMap((version) => [produceRequest(version), produceResponse(version)]),
  ...range(4, 18).flatMap((version) => [fetchRequest(version), fetchResponse(version)]),
];
