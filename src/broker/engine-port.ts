// The engine as the broker sees it. Everything that comes from the addon passes here, so that unit tests can put an engine
// of their own in its place and the engine's errors become Kafka's in one spot.
import {
  type AppendOutcome, type EngineEvents, type EngineOptions, type LogDescription as NativeLogDescription, type NativeEngine, type PartitionRef,
  type RecordInput,
} from '../native/binding.js';
import { nativeCode } from '../native/errors.js';
import { type KafkaErrorName } from '../protocol/errors.js';
import { KafkaError } from '../metadata/kafka-error.js';
import {
  type LogDescription, type LogOffsets, type PartitionLogs, type TimestampOffset, type TopicIdPartition,
} from '../kafka/services.js';

/** What the broker uses of the engine. */
export type EnginePort = Pick<
  NativeEngine,
  | 'open' | 'openPartitions' | 'finishRecovery' | 'setCleanerSettings' | 'setPartitionSettings' | 'deletePartitions' | 'read'
  | 'readPacked' | 'ends' | 'findTimestamp' | 'findMaxTimestamp' | 'epochOf' | 'endOffsetForEpoch' | 'deleteRecords'
  | 'describeLogs' | 'listen' | 'setPlaneSettings' | 'publishTopics' | 'withdrawTopic' | 'closeConnection'
  | 'parked' | 'caughtUp'
  | 'stats' | 'close'
> & {
  /** The records become one batch, or a part of one. Resolves when it is durable (mode fsync) or in the page cache (mode os). */
  appendRecords(ref: PartitionRef, records: readonly RecordInput[], options?: { readonly control?: boolean }): Promise<AppendOutcome>;
  /** The whole response behind the size: header and body. Unknown tokens (the peer left) are ignored. */
  respond(token: number, response: Uint8Array): void;
};

export type MakeEngine = (options: EngineOptions, events: EngineEvents) => EnginePort;

const KAFKA_ERROR_OF: Readonly<Record<string, KafkaErrorName>> = {
  io: 'KAFKA_STORAGE_ERROR',
  no_space: 'KAFKA_STORAGE_ERROR',
  no_files: 'KAFKA_STORAGE_ERROR',
  offline: 'KAFKA_STORAGE_ERROR',
  corrupt: 'KAFKA_STORAGE_ERROR',
  closed: 'NOT_LEADER_OR_FOLLOWER',
  not_found: 'UNKNOWN_TOPIC_OR_PARTITION',
  offset_out_of_range: 'OFFSET_OUT_OF_RANGE',
  too_large: 'MESSAGE_TOO_LARGE',
  fenced_leader_epoch: 'FENCED_LEADER_EPOCH',
  unknown_leader_epoch: 'UNKNOWN_LEADER_EPOCH',
  timeout: 'REQUEST_TIMED_OUT',
};

/** The engine's error as a client is told it; an error of any other kind stays what it is. */
export function toKafkaError(error: unknown): unknown {
  const code = nativeCode(error);
  const name = code === undefined ? undefined : KAFKA_ERROR_OF[code];
  return name === undefined ? error : new KafkaError(name, (error as Error).message);
}

export async function asKafkaErrors<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw toKafkaError(error);
  }
}

function describe(log: NativeLogDescription): LogDescription {
  const { topicId, partition, sizeBytes, logStart, end } = log;
  return { topicId, partition, sizeBytes: BigInt(sizeBytes), logStart, logEnd: end };
}

function found(result: { offset: bigint; timestampMs: bigint; leaderEpoch: number } | null): TimestampOffset | null {
  return result && { timestamp: result.timestampMs, offset: result.offset, leaderEpoch: result.leaderEpoch };
}

/** The logs of the partitions, for handlers. */
export class EngineLogs implements PartitionLogs {
  readonly #engine: EnginePort;

  constructor(engine: EnginePort) {
    this.#engine = engine;
  }

  async offsets(partition: TopicIdPartition): Promise<LogOffsets> {
    const { logStart, highWatermark, lastStable, end } = await asKafkaErrors(this.#engine.ends(ref(partition)));
    return { logStart, highWatermark, lastStable, logEnd: end };
  }

  async findTimestamp(partition: TopicIdPartition, timestamp: bigint): Promise<TimestampOffset | null> {
    return found(await asKafkaErrors(this.#engine.findTimestamp(ref(partition), timestamp)));
  }

  async findMaxTimestamp(partition: TopicIdPartition): Promise<TimestampOffset | null> {
    return found(await asKafkaErrors(this.#engine.findMaxTimestamp(ref(partition))));
  }

  epochOf(partition: TopicIdPartition, offset: bigint): Promise<number> {
    return asKafkaErrors(this.#engine.epochOf(ref(partition), offset));
  }

  epochEnd(partition: TopicIdPartition, leaderEpoch: number): Promise<{ leaderEpoch: number; endOffset: bigint }> {
    return asKafkaErrors(this.#engine.endOffsetForEpoch(ref(partition), leaderEpoch));
  }

  deleteRecords(partition: TopicIdPartition, offset: bigint): Promise<bigint> {
    return asKafkaErrors(this.#engine.deleteRecords(ref(partition), offset));
  }

  async describeLogs(): Promise<readonly LogDescription[]> {
    return (await asKafkaErrors(this.#engine.describeLogs())).map(describe);
  }
}

function ref({ topicId, partition }: TopicIdPartition): PartitionRef {
  return { topicId, partition };
}
