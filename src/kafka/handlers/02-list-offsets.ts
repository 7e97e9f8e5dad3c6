// ListOffsets, versions 1-11: an offset for a timestamp, or for one of the special ones.
// 2: isolation level. 4: leader epochs. 5: offsets that are not available yet have an error of their own. 7: the greatest
// timestamp. 8: the start of what is local. 9: the end of what is remote. 10: a timeout for remote reads. 11: what waits
// to become remote. Nothing is remote here, and Kafka without remote storage answers as this does.
import { listOffsetsApi } from '../../protocol/messages/02-list-offsets.js';
import { KafkaError } from '../../metadata/kafka-error.js';
import { codeOf, mergeTopics, requireLed } from '../partitions.js';
import { defineHandler } from '../registry.js';
import { type BrokerServices, type LogOffsets, type TimestampOffset } from '../services.js';

const timestamps = {
  latest: -1n,
  earliest: -2n,
  greatest: -3n,
  earliestLocal: -4n,
  latestTiered: -5n,
  earliestPendingUpload: -6n,
} as const;

/** The first version in which a client may ask for a special timestamp. */
const sinceVersion = new Map<bigint, number>([
  [timestamps.latest, 1],
  [timestamps.earliest, 1],
  [timestamps.greatest, 7],
  [timestamps.earliestLocal, 8],
  [timestamps.latestTiered, 9],
  [timestamps.earliestPendingUpload, 11],
]);

const NOTHING: TimestampOffset = { timestamp: -1n, offset: -1n, leaderEpoch: -1 };
const READ_COMMITTED = 1;
const CONSUMER = -1;

interface Question {
  readonly topic: string;
  readonly partition: number;
  readonly clientEpoch: number;
  readonly timestamp: bigint;
  readonly isolationLevel: number;
  readonly replicaId: number;
}

function lastFetchable(offsets: LogOffsets, { isolationLevel, replicaId }: Question): bigint {
  if (replicaId !== CONSUMER) return offsets.logEnd;
  return isolationLevel === READ_COMMITTED ? offsets.lastStable : offsets.highWatermark;
}

async function find(question: Question, broker: BrokerServices): Promise<TimestampOffset> {
  const { timestamp } = question;
  const { at, partition } = requireLed(broker, question.topic, question.partition, question.clientEpoch);
  switch (timestamp) {
    case timestamps.latest: {
      const offset = lastFetchable(await broker.engine.offsets(at), question);
      return { timestamp: -1n, offset, leaderEpoch: partition.leaderEpoch };
    }
    case timestamps.earliest:
    case timestamps.earliestLocal: {
      const { logStart, logEnd } = await broker.engine.offsets(at);
      // The first record of an empty log will be of the present epoch.
      const leaderEpoch = logStart === logEnd ? partition.leaderEpoch : await broker.engine.epochOf(at, logStart);
      return { timestamp: -1n, offset: logStart, leaderEpoch };
    }
    case timestamps.latestTiered:
    case timestamps.earliestPendingUpload:
      return NOTHING;
    default: {
      const found = timestamp === timestamps.greatest
        ? await broker.engine.findMaxTimestamp(at)
        : await broker.engine.findTimestamp(at, timestamp);
      if (found === null) return NOTHING;
      const isVisible = found.offset < lastFetchable(await broker.engine.offsets(at), question);
      return isVisible ? found : NOTHING;
    }
  }
}

function isSupported(timestamp: bigint, version: number): boolean {
  if (timestamp >= 0n) return true;
  const since = sinceVersion.get(timestamp);
  return since !== undefined && version >= since;
}

export const listOffsetsHandler = defineHandler({
  api: listOffsetsApi,
  async handle(request, { header, broker }) {
    const { apiVersion } = header;
    const counts = new Map<string, number>();
    const keyOf = (topic: string, partition: number): string => `${partition}:${topic}`;
    for (const { name, partitions } of request.topics) {
      for (const { partitionIndex } of partitions) {
        const key = keyOf(name, partitionIndex);
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }
    const answer = async (topic: string, partition: (typeof request.topics)[number]['partitions'][number]) => {
      const { partitionIndex, timestamp } = partition;
      try {
        if (counts.get(keyOf(topic, partitionIndex))! > 1) throw new KafkaError('INVALID_REQUEST');
        if (!isSupported(timestamp, apiVersion)) throw new KafkaError('UNSUPPORTED_VERSION');
        const found = await find({
          topic,
          partition: partitionIndex,
          clientEpoch: partition.currentLeaderEpoch,
          timestamp,
          isolationLevel: request.isolationLevel,
          replicaId: request.replicaId,
        }, broker);
        const { offset, leaderEpoch } = found;
        return { partitionIndex, errorCode: 0, timestamp: found.timestamp, offset, leaderEpoch: apiVersion >= 4 ? leaderEpoch : -1 };
      } catch (error) {
        return { partitionIndex, errorCode: codeOf(error), timestamp: -1n, offset: -1n, leaderEpoch: -1 };
      }
    };
    return {
      topics: await Promise.all(mergeTopics(request.topics).map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(partitions.map((partition) => answer(name, partition))),
      }))),
    };
  },
  failed(request, { code }) {
    return {
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({
          partitionIndex, errorCode: code, timestamp: -1n, offset: -1n,
        })),
      })),
    };
  },
});
