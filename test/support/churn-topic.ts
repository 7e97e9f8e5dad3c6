// The life of a topic: made, written to until segments roll, read, cut, given other settings, compacted or left to retention, deleted, and now and then
// made again under its name.
import { configOperations } from '../../src/metadata/configs.js';
import { resourceTypes } from '../../src/metadata/image.js';
import { createPartitionsApi, createTopicsApi, deleteRecordsApi, deleteTopicsApi, fetchApi, incrementalAlterConfigsApi, initProducerIdApi, listOffsetsApi, produceApi } from '../../src/protocol/index.js';
import { buildBatch, parseBatches } from '../../src/protocol/records/batch.js';
import { type ChurnWorld, connect, expectError, until } from './churn-world.js';
import { type KafkaClient } from './kafka-client.js';
import { type Random } from './random.js';

export const TOPIC_KINDS = ['plain', 'idempotent', 'compacted', 'retained', 'sized', 'aged', 'os', 'recompressed'] as const;
export type TopicKind = (typeof TOPIC_KINDS)[number];

const SEGMENT_BYTES = 65_536;
const VALUE_BYTES = 2_000;
const RECORDS = 8;
const KEYS = 20;
const MAX_PARTITIONS = 50;
/** Of one topic, written to. */
const MAX_WRITTEN = 4;
const IN_FLIGHT = 5;
const READS = 30;
/** More than all partitions may give: one that gives nothing has nothing. */
const MAX_READ_BYTES = 8 << 20;
const EARLIEST = -2n;
const TIMEOUT_MS = 60_000;

const CONFIGS: Readonly<Record<TopicKind, Readonly<Record<string, string>>>> = {
  plain: {},
  idempotent: {},
  compacted: { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.01', 'delete.retention.ms': '100' },
  retained: { 'retention.ms': '500' },
  sized: { 'retention.bytes': String(SEGMENT_BYTES) },
  aged: { 'segment.ms': '100' },
  os: { 'sluice.durability': 'os' },
  recompressed: { 'compression.type': 'lz4' },
};

const CHANGES: readonly (readonly [string, string])[] = [
  ['retention.ms', '1000'], ['retention.bytes', String(SEGMENT_BYTES)], ['segment.ms', '200'], ['sluice.durability', 'os'], ['sluice.durability', 'fsync'],
  ['compression.type', 'zstd'], ['compression.type', 'gzip'], ['compression.type', 'snappy'], ['cleanup.policy', 'compact,delete'], ['cleanup.policy', 'delete'],
  ['index.interval.bytes', '512'], ['message.timestamp.type', 'LogAppendTime'],
];

interface Written {
  records: number;
  sequence: number;
  /** Of the segment that is being filled, as far as it is known from here. */
  segmentBytes: number;
}

export async function liveTopic(world: ChurnWorld, random: Random, name: string, kind: TopicKind): Promise<void> {
  const client = await connect(world);
  try {
    const life = new TopicLife(world, random, client, name, kind);
    await life.create();
    await life.produce();
    for (let steps = random.below(5); steps > 0; steps -= 1) await life.step();
    await life.consume();
    await life.delete();
    if (random.chance(0.2)) {
      const again = new TopicLife(world, random, client, name, kind);
      await again.create();
      await again.produce();
      await again.delete();
    }
  } finally {
    world.topics.delete(name);
    client.close();
  }
}

export async function deleteTopics(client: KafkaClient, topicNames: readonly string[]): Promise<void> {
  const { responses } = await client.ask(deleteTopicsApi, 5, { topicNames, timeoutMs: TIMEOUT_MS });
  for (const { name, errorCode } of responses) expectError(`DeleteTopics of ${name}`, errorCode, 'NONE');
}

export async function produceBatch(client: KafkaClient, topic: string, index: number, records: Buffer): Promise<void> {
  const { responses } = await client.ask(produceApi, 9, { acks: -1, timeoutMs: TIMEOUT_MS, topicData: [{ name: topic, partitionData: [{ index, records }] }] });
  expectError(`Produce to ${topic}-${index}`, responses[0]?.partitionResponses[0]?.errorCode, 'NONE');
}

class TopicLife {
  readonly #world: ChurnWorld;
  readonly #random: Random;
  readonly #client: KafkaClient;
  readonly #name: string;
  readonly #kind: TopicKind;
  readonly #written = new Map<number, Written>();
  #partitions: number;
  #producer: { producerId: bigint; producerEpoch: number } | undefined;
  #isRecompressed: boolean;
  /** What was cut or set since then makes cleanup another one. */
  #isAsMade = true;

  constructor(world: ChurnWorld, random: Random, client: KafkaClient, name: string, kind: TopicKind) {
    this.#world = world;
    this.#random = random;
    this.#client = client;
    this.#name = name;
    this.#kind = kind;
    this.#partitions = 1 + random.below(random.chance(0.2) ? MAX_PARTITIONS : 6);
    this.#isRecompressed = kind === 'recompressed';
    for (let i = 1 + random.below(MAX_WRITTEN); i > 0; i -= 1) this.#written.set(random.below(this.#partitions), { records: 0, sequence: 0, segmentBytes: 0 });
  }

  async create(): Promise<void> {
    const configs = Object.entries({ 'internal.segment.bytes': String(SEGMENT_BYTES), 'file.delete.delay.ms': '500', ...CONFIGS[this.#kind] });
    const { topics } = await this.#client.ask(createTopicsApi, 5, {
      topics: [{ name: this.#name, numPartitions: this.#partitions, replicationFactor: 1, configs: configs.map(([key, value]) => ({ name: key, value })) }], timeoutMs: TIMEOUT_MS,
    });
    expectError(`CreateTopics of ${this.#name}`, topics[0]?.errorCode, 'NONE');
    this.#world.counts.topics += 1;
    this.#world.counts.partitions += this.#partitions;
    this.#world.topics.add(this.#name);
  }

  step(): Promise<void> {
    const random = this.#random;
    const cleanup = () => this.#seeCleanup();
    const steps = [() => this.produce(), () => this.consume(), () => this.#deleteRecords(), () => this.#addPartitions(), cleanup, this.#kind === 'compacted' ? cleanup : () => this.#change()];
    return random.pick(steps)();
  }

  /** Until segments have rolled in each of the partitions that are written to. */
  async produce(): Promise<void> {
    if (this.#kind === 'idempotent' && this.#producer === undefined) {
      const { errorCode, producerId, producerEpoch } = await this.#client.ask(initProducerIdApi, 3, { transactionalId: null, transactionTimeoutMs: TIMEOUT_MS });
      expectError('InitProducerId', errorCode, 'NONE');
      this.#producer = { producerId, producerEpoch };
    }
    const batches = 12 + this.#random.below(10);
    for (const [partition, written] of this.#written) {
      const answers: Promise<void>[] = [];
      for (let i = 0; i < batches; i += 1) {
        answers.push(this.#send(partition, written));
        if (answers.length === IN_FLIGHT) await answers.shift();
      }
      await Promise.all(answers);
    }
  }

  async #send(partition: number, written: Written): Promise<void> {
    const records = buildBatch({
      records: Array.from({ length: RECORDS }, () => ({ key: Buffer.from(`key-${this.#random.below(KEYS)}`), value: this.#random.chance(0.05) ? null : Buffer.alloc(VALUE_BYTES, this.#random.below(256)) })),
      timestamp: BigInt(Date.now()), ...(this.#producer === undefined ? {} : { ...this.#producer, baseSequence: written.sequence }),
    });
    written.sequence += RECORDS;
    written.records += RECORDS;
    if (!this.#isRecompressed && written.segmentBytes > 0 && written.segmentBytes + records.length > SEGMENT_BYTES) {
      this.#world.counts.segments += 1;
      written.segmentBytes = 0;
    }
    written.segmentBytes += records.length;
    this.#world.counts.records += RECORDS;
    await produceBatch(this.#client, this.#name, partition, records);
  }

  /** Everything that is there, in a session or without one, which is left to the broker at times. */
  async consume(): Promise<void> {
    const inSession = this.#random.chance(0.5);
    const positions = new Map([...this.#written.keys()].map((partition) => [partition, 0n]));
    const found = new Map<number, number>();
    let sessionId = 0;
    let sessionEpoch = inSession ? 0 : -1;
    for (let reads = 0; reads < READS && positions.size > 0; reads += 1) {
      const { errorCode, sessionId: given, responses } = await this.#client.ask(fetchApi, 12, {
        maxWaitMs: 0, minBytes: 0, maxBytes: MAX_READ_BYTES, isolationLevel: 0, sessionId, sessionEpoch,
        topics: [{ topic: this.#name, partitions: [...positions].map(([partition, fetchOffset]) => ({ partition, fetchOffset, partitionMaxBytes: 1 << 17 })) }],
      });
      if (inSession) {
        // It may have been pushed out by others, and where there is no room for one the answer has none.
        if (expectError(`Fetch of ${this.#name}`, errorCode, 'NONE', 'FETCH_SESSION_ID_NOT_FOUND') !== 'NONE') [sessionId, sessionEpoch] = [0, 0];
        else if (given !== 0) [sessionId, sessionEpoch] = [given, sessionEpoch + 1];
      }
      for (const { partitionIndex, errorCode: code, highWatermark, records } of responses[0]?.partitions ?? []) {
        if (!positions.has(partitionIndex)) continue;
        if (expectError(`Fetch of ${this.#name}-${partitionIndex}`, code, 'NONE', 'OFFSET_OUT_OF_RANGE') === 'OFFSET_OUT_OF_RANGE') {
          positions.set(partitionIndex, await this.#start(partitionIndex));
          continue;
        }
        const batches = parseBatches(records ?? Buffer.alloc(0), { partialTail: 'ignore' });
        found.set(partitionIndex, (found.get(partitionIndex) ?? 0) + batches.reduce((sum, { recordCount }) => sum + recordCount, 0));
        const next = (batches.at(-1)?.lastOffset ?? highWatermark - 1n) + 1n;
        if (next < highWatermark) positions.set(partitionIndex, next);
        else positions.delete(partitionIndex);
      }
    }
    if (sessionId !== 0 && this.#random.chance(0.5)) await this.#client.ask(fetchApi, 12, { maxWaitMs: 0, minBytes: 0, sessionId, sessionEpoch: -1, topics: [] });
    if (this.#kind !== 'compacted') return;
    for (const [partition, count] of found) if (count < this.#written.get(partition)!.records) this.#world.counts.compacted += 1;
  }

  async #deleteRecords(): Promise<void> {
    const [partition, { records }] = this.#random.pick([...this.#written]);
    const start = await this.#start(partition);
    const offset = start + BigInt(this.#random.below(records - Number(start) + 1));
    const { topics } = await this.#client.ask(deleteRecordsApi, 2, { topics: [{ name: this.#name, partitions: [{ partitionIndex: partition, offset }] }], timeoutMs: TIMEOUT_MS });
    const isCompacted = this.#kind === 'compacted';
    expectError(`DeleteRecords of ${this.#name}-${partition}`, topics[0]?.partitions[0]?.errorCode, isCompacted ? 'POLICY_VIOLATION' : 'NONE');
    if (isCompacted) return;
    this.#isAsMade = false;
    this.#world.counts.deletedRecords += 1;
  }

  async #start(partition: number): Promise<bigint> {
    const { topics } = await this.#client.ask(listOffsetsApi, 5, { replicaId: -1, topics: [{ name: this.#name, partitions: [{ partitionIndex: partition, timestamp: EARLIEST }] }] });
    const found = topics[0]?.partitions[0];
    expectError(`ListOffsets of ${this.#name}-${partition}`, found?.errorCode, 'NONE');
    return found!.offset;
  }

  async #change(): Promise<void> {
    const [name, value] = this.#random.pick(CHANGES);
    this.#isAsMade = false;
    if (name === 'compression.type') this.#isRecompressed = true;
    const { responses } = await this.#client.ask(incrementalAlterConfigsApi, 1, { resources: [{ resourceType: resourceTypes.topic, resourceName: this.#name, configs: [{ name, configOperation: configOperations.set, value }] }] });
    expectError(`IncrementalAlterConfigs of ${this.#name}`, responses[0]?.errorCode, 'NONE');
  }

  async #addPartitions(): Promise<void> {
    const count = this.#partitions + 1 + this.#random.below(3);
    const { results } = await this.#client.ask(createPartitionsApi, 2, { topics: [{ name: this.#name, count, assignments: null }], timeoutMs: TIMEOUT_MS });
    expectError(`CreatePartitions of ${this.#name}`, results[0]?.errorCode, 'NONE');
    this.#world.counts.partitions += count - this.#partitions;
    this.#partitions = count;
    this.#written.set(count - 1, { records: 0, sequence: 0, segmentBytes: 0 });
    await this.produce();
  }

  /** Where retention or compaction are to come: until they have. */
  async #seeCleanup(): Promise<void> {
    if (!this.#isAsMade) return;
    const [partition] = this.#random.pick([...this.#written]);
    if (this.#kind === 'retained' || this.#kind === 'sized') {
      await until(`retention of ${this.#name}`, async () => ((await this.#start(partition)) > 0n ? true : undefined));
      this.#world.counts.retained += 1;
    } else if (this.#kind === 'compacted') {
      const before = this.#world.counts.compacted;
      await until(`compaction of ${this.#name}`, async () => {
        await this.consume();
        return this.#world.counts.compacted > before ? true : undefined;
      }, { everyMs: 200 });
    }
  }

  async delete(): Promise<void> {
    this.#world.topics.delete(this.#name);
    await deleteTopics(this.#client, [this.#name]);
  }
}
