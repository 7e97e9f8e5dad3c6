// The world of the group coordinator, made of the engine and the metadata.
import { type PartitionRef } from '../native/binding.js';
import { unpackRecords } from '../native/records.js';
import { type OffsetsLog, type RecordBytes, type StoredRecord, type TopicCatalog } from '../coordinator/ports.js';
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

  constructor(engine: EnginePort, metadata: ImageSource) {
    this.#engine = engine;
    this.#metadata = metadata;
  }

  get partitionCount(): number {
    return this.#metadata.image.topics.get(internalTopics.offsets)?.partitions.length ?? 0;
  }

  async append(partition: number, records: readonly RecordBytes[]): Promise<void> {
    await asKafkaErrors(this.#engine.appendRecords(this.#ref(partition), records));
  }

  async *read(partition: number): AsyncGenerator<readonly StoredRecord[]> {
    const ref = this.#ref(partition);
    const { logStart, end } = await asKafkaErrors(this.#engine.ends(ref));
    let next = logStart;
    while (next < end) {
      const packed = await asKafkaErrors(this.#engine.readPacked(ref, next, READ_BYTES));
      const { nextOffset } = packed;
      const records = unpackRecords(packed);
      if (records.length > 0) yield records;
      if (nextOffset <= next) {
        throw new KafkaError('KAFKA_STORAGE_ERROR', `${internalTopics.offsets}-${partition} cannot be read at offset ${next}`);
      }
      next = nextOffset;
    }
  }

  #ref(partition: number): PartitionRef {
    const topic = this.#metadata.image.topics.get(internalTopics.offsets);
    if (topic === undefined) throw new KafkaError('COORDINATOR_NOT_AVAILABLE');
    return { topicId: topic.id, partition };
  }
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
