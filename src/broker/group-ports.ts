// The world of the group coordinator, made of the engine and the metadata.
import { type NativeRecord, type PartitionRef } from '../native/binding.js';
import { unpackRecords } from '../native/records.js';
import { type RecordBatch, parseBatches, readRecords } from '../protocol/records/batch.js';
import { decodeControlRecord } from '../protocol/records/control/index.js';
import { type EndedTransaction, type OffsetsLog, type RecordBytes, type StoredRecord, type TopicCatalog } from '../coordinator/ports.js';
import { type MetadataImage, topicById } from '../metadata/image.js';
import { KafkaError } from '../metadata/kafka-error.js';
import { internalTopics } from '../metadata/topic-names.js';
import { type EnginePort, asKafkaErrors } from './engine-port.js';

const READ_BYTES = 1 << 20;

export interface ImageSource {
  readonly image: MetadataImage;
}

export class EngineOffsetsLog implements OffsetsLog {
  readonly #engine: EnginePort;
  readonly #metadata: ImageSource;
  /** The topic and the partitions that it had when it was first seen: a group stays where it is though more are made, until the next start, as in Kafka. */
  #counted: { readonly topicId: string; readonly partitions: number } | undefined;

  constructor(engine: EnginePort, metadata: ImageSource) {
    this.#engine = engine;
    this.#metadata = metadata;
  }

  /** The image of the metadata is another one. */
  imageChanged(): void {
    const topic = this.#metadata.image.topics.get(internalTopics.offsets);
    if (topic?.id === this.#counted?.topicId) return;
    this.#counted = topic === undefined ? undefined : { topicId: topic.id, partitions: topic.partitions.length };
  }

  get partitionCount(): number {
    return this.#counted?.partitions ?? 0;
  }

  async append(partition: number, records: readonly RecordBytes[]): Promise<void> {
    await asKafkaErrors(this.#engine.appendRecords(this.#ref(partition), records));
  }

  async *read(partition: number): AsyncGenerator<readonly (StoredRecord | EndedTransaction)[]> {
    const ref = this.#ref(partition);
    const { logStart, end } = await asKafkaErrors(this.#engine.ends(ref));
    let next = logStart;
    while (next < end) {
      const packed = await asKafkaErrors(this.#engine.readPacked(ref, next, READ_BYTES));
      const { nextOffset } = packed;
      const records = unpackRecords(packed);
      const stored = this.#hadTransactions ? withTransactions(records, await this.#batches(ref, next, nextOffset)) : records;
      if (stored.length > 0) yield stored;
      if (nextOffset <= next) {
        throw new KafkaError('KAFKA_STORAGE_ERROR', `${internalTopics.offsets}-${partition} cannot be read at offset ${next}`);
      }
      next = nextOffset;
    }
  }

  /** Kafka makes this topic before the first offset is committed in a transaction. Without it batches need not be looked at. */
  get #hadTransactions(): boolean {
    return this.#metadata.image.topics.has(internalTopics.transactions);
  }

  async #batches(ref: PartitionRef, from: bigint, to: bigint): Promise<RecordBatch[]> {
    const batches: RecordBatch[] = [];
    for (let next = from; next < to; ) {
      const { batches: bytes } = await asKafkaErrors(this.#engine.read(ref, next, READ_BYTES, 'uncommitted'));
      const read = parseBatches(bytes, { partialTail: 'ignore' });
      const last = read.at(-1);
      if (last === undefined) break;
      for (const batch of read) if (batch.baseOffset < to) batches.push(batch);
      next = last.lastOffset + 1n;
    }
    return batches;
  }

  #ref(partition: number): PartitionRef {
    const topic = this.#metadata.image.topics.get(internalTopics.offsets);
    if (topic === undefined) throw new KafkaError('COORDINATOR_NOT_AVAILABLE');
    return { topicId: topic.id, partition };
  }
}

/** The records with the transactions that they are part of, and the ends of those in between. */
function withTransactions(records: readonly NativeRecord[], batches: readonly RecordBatch[]): (StoredRecord | EndedTransaction)[] {
  const all: (StoredRecord | EndedTransaction)[] = [];
  let next = 0;
  for (const batch of batches) {
    const { producerId, isTransactional, isControl, lastOffset } = batch;
    for (; next < records.length && records[next]!.offset <= lastOffset; next += 1) {
      const { key, value, timestampMs } = records[next]!;
      all.push(isTransactional ? { key, value, timestampMs, producerId } : { key, value, timestampMs });
    }
    if (!isControl) continue;
    for (const { key, value } of readRecords(batch)) {
      const marker = key === null || value === null ? undefined : decodeControlRecord(key, value);
      if (marker?.kind === 'commit' || marker?.kind === 'abort') all.push({ producerId, isCommitted: marker.kind === 'commit' });
    }
  }
  for (const { key, value, timestampMs } of records.slice(next)) all.push({ key, value, timestampMs });
  return all;
}

export class ImageTopicCatalog implements TopicCatalog {
  readonly #metadata: ImageSource;

  constructor(metadata: ImageSource) {
    this.#metadata = metadata;
  }

  topicId(name: string): string | null {
    return this.#metadata.image.topics.get(name)?.id ?? null;
  }

  topicName(id: string): string | null {
    return topicById(this.#metadata.image, id)?.name ?? null;
  }

  partitionCount(name: string): number {
    return this.#metadata.image.topics.get(name)?.partitions.length ?? 0;
  }
}
