// An idempotent producer and a reader over plain sockets, made for tests that kill the broker: it resends what was not
// acknowledged, in order and with the same sequence numbers, and counts exactly what was acknowledged.
import { setTimeout as delay } from 'node:timers/promises';
import { buildBatch, parseBatches, type RawRecord } from './record-batch.js';
import { encodeRequest, int16, int32, RawConnection, string16 } from './wire.js';

const PRODUCE = 0;
const FETCH = 1;
const METADATA = 3;
const OFFSET_COMMIT = 8;
const OFFSET_FETCH = 9;
const FIND_COORDINATOR = 10;
const CREATE_TOPICS = 19;
const INIT_PRODUCER_ID = 22;

/** Errors after which the same batch is sent again; any other ends the producer. */
const retriable = new Set([3, 5, 6, 7, 13, 14, 15, 16, 19, 20, 56]);
const DUPLICATE_SEQUENCE = 46;
const TOPIC_ALREADY_EXISTS = 36;
const MAX_IN_FLIGHT = 5;

interface Batch {
  readonly partition: number;
  readonly baseSequence: number;
  readonly count: number;
  readonly request: (correlationId: number) => Buffer;
}

async function call(connection: RawConnection, apiKey: number, apiVersion: number, body: Buffer): Promise<Buffer> {
  connection.send(encodeRequest({ apiKey, apiVersion, correlationId: 1 }, body));
  return (await connection.receive()).subarray(4);
}

export async function createTopicRaw(port: number, topic: string, partitions: number): Promise<void> {
  const connection = await RawConnection.open(port);
  try {
    const none = int32(0);
    const body = Buffer.concat([int32(1), string16(topic), int32(partitions), int16(1), none, none, int32(30_000), Buffer.from([0])]);
    const answer = await call(connection, CREATE_TOPICS, 2, body);
    const error = answer.readInt16BE(8 + 2 + answer.readInt16BE(8));
    if (error !== 0 && error !== TOPIC_ALREADY_EXISTS) throw new Error(`CreateTopics was answered with error ${error}`);
  } finally {
    connection.destroy();
  }
}

/** Asks for a group's coordinator, which makes the broker create the topic of offsets, until it has one. */
export async function findCoordinatorRaw(port: number, group: string): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const connection = await RawConnection.open(port);
    const answer = await call(connection, FIND_COORDINATOR, 0, string16(group)).finally(() => connection.destroy());
    const error = answer.readInt16BE(0);
    if (error === 0) return;
    if (attempt > 1000 || !retriable.has(error)) throw new Error(`FindCoordinator was answered with error ${error}`);
    await delay(10);
  }
}

/** Commits an offset for a group without members; throws unless the broker acknowledged it. */
export async function commitOffsetRaw(connection: RawConnection, group: string, topic: string, partition: number, offset: number): Promise<void> {
  const position = Buffer.alloc(8);
  position.writeBigInt64BE(BigInt(offset));
  const noRetention = Buffer.alloc(8, 0xff);
  const body = Buffer.concat([
    ...[string16(group), int32(-1), string16(''), noRetention, int32(1), string16(topic)],
    ...[int32(1), int32(partition), position, int16(-1)],
  ]);
  const answer = await call(connection, OFFSET_COMMIT, 2, body);
  const error = answer.readInt16BE(4 + 2 + answer.readInt16BE(4) + 4 + 4);
  if (error !== 0) throw new Error(`OffsetCommit was answered with error ${error}`);
}

/** The committed offset of a group, -1 when there is none. Throws while the group is still being loaded. */
export async function fetchOffsetRaw(connection: RawConnection, group: string, topic: string, partition: number): Promise<number> {
  const body = Buffer.concat([string16(group), int32(1), string16(topic), int32(1), int32(partition)]);
  const answer = await call(connection, OFFSET_FETCH, 1, body);
  const at = 4 + 2 + answer.readInt16BE(4) + 4 + 4;
  const error = answer.readInt16BE(at + 8 + 2 + Math.max(answer.readInt16BE(at + 8), 0));
  if (error !== 0) throw new Error(`OffsetFetch was answered with error ${error}`);
  return Number(answer.readBigInt64BE(at));
}

/** The number of partitions of each topic. */
export async function listTopicsRaw(port: number): Promise<Map<string, number>> {
  const connection = await RawConnection.open(port);
  try {
    const answer = await call(connection, METADATA, 1, int32(-1));
    let at = 0;
    const next = (bytes: number): number => (at += bytes) - bytes;
    const text = (): string => {
      const length = Math.max(answer.readInt16BE(next(2)), 0);
      return answer.toString('utf8', next(length), at);
    };
    for (let brokers = answer.readInt32BE(next(4)); brokers > 0; brokers -= 1) {
      next(4);
      text();
      next(4);
      text();
    }
    next(4);
    const topics = new Map<string, number>();
    for (let left = answer.readInt32BE(next(4)); left > 0; left -= 1) {
      next(2);
      const name = text();
      next(1);
      const partitions = answer.readInt32BE(next(4));
      for (let p = 0; p < partitions; p += 1) {
        next(2 + 4 + 4);
        for (let list = 0; list < 2; list += 1) next(4 * answer.readInt32BE(next(4)));
      }
      topics.set(name, partitions);
    }
    return topics;
  } finally {
    connection.destroy();
  }
}

/** All of a partition at once: for little ones. */
export async function readPartition(port: number, topic: string, partition: number): Promise<RawRecord[]> {
  const records: RawRecord[] = [];
  for await (const some of recordsOf(port, topic, partition)) records.push(...some);
  return records;
}

/** Reads a partition to its end, the whole of it unless it is told where to begin, some megabytes at a time. */
export async function* recordsOf(port: number, topic: string, partition: number, from = 0): AsyncGenerator<readonly RawRecord[]> {
  const connection = await RawConnection.open(port);
  try {
    for (let offset = from; ; ) {
      const position = Buffer.alloc(8);
      position.writeBigInt64BE(BigInt(offset));
      const body = Buffer.concat([
        ...[int32(-1), int32(100), int32(0), int32(50 << 20), Buffer.from([0])],
        ...[int32(1), string16(topic), int32(1), int32(partition), position, int32(8 << 20)],
      ]);
      const answer = await call(connection, FETCH, 4, body);
      let at = 4 + 4 + 2 + answer.readInt16BE(8) + 4 + 4;
      const error = answer.readInt16BE(at);
      if (error !== 0) throw new Error(`Fetch of ${topic}-${partition} at ${offset} was answered with error ${error}`);
      const highWatermark = Number(answer.readBigInt64BE(at + 2));
      at += 2 + 8 + 8;
      at += 4 + Math.max(answer.readInt32BE(at), 0) * 16;
      const size = Math.max(answer.readInt32BE(at), 0);
      const got = parseBatches(answer.subarray(at + 4, at + 4 + size)).filter((record) => record.offset >= offset);
      yield got;
      offset = (got.at(-1)?.offset ?? offset - 1) + 1;
      if (offset >= highWatermark) return;
      if (got.length === 0) throw new Error(`no records at ${offset}, below the high watermark ${highWatermark}`);
    }
  } finally {
    connection.destroy();
  }
}

/** The only one of its topic, so each record's offset is its number. */
export class IdempotentProducer {
  readonly #port: number;
  readonly #topic: string;
  readonly #partitions: number;
  readonly #recordsPerBatch: number;
  readonly #nextSequence: number[];
  readonly #counts: number[];
  readonly #unacknowledged: Batch[][];
  #producerId = -1n;
  #producerEpoch = -1;
  #isStopping = false;
  #isAbandoned = false;
  #hasEnded = false;
  #loop: Promise<void> | undefined;
  #held: Promise<void> | undefined;

  constructor(options: { port: number; topic: string; partitions: number; recordsPerBatch: number }) {
    this.#port = options.port;
    this.#topic = options.topic;
    this.#partitions = options.partitions;
    this.#recordsPerBatch = options.recordsPerBatch;
    this.#nextSequence = Array.from({ length: options.partitions }, () => 0);
    this.#counts = Array.from({ length: options.partitions }, () => 0);
    this.#unacknowledged = Array.from({ length: options.partitions }, () => []);
  }

  /** How many of each partition's records are acknowledged: those of all lower numbers, each where it belongs. */
  get counts(): readonly number[] {
    return [...this.#counts];
  }

  /** Of all partitions. */
  get acknowledged(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** Begins to produce, without end: the value of each record is its partition and sequence number. */
  start(): void {
    this.#loop = this.#run().finally(() => (this.#hasEnded = true));
    this.#loop.catch(() => {}); // Reported by whoever waits.
  }

  /** Resolves when that many records are acknowledged; rejects when the producer failed. */
  async reached(count: number): Promise<void> {
    while (this.acknowledged < count) {
      if (this.#hasEnded) await this.#loop;
      await delay(1);
    }
  }

  /** Opens no connection before `event` has come, or failed: whoever has just crashed gets nothing from it. */
  holdUntil(event: Promise<unknown>): void {
    this.#held = event.then(() => {}, () => {});
  }

  /** Sends what is left until it is acknowledged, and ends. */
  async finish(): Promise<void> {
    this.#isStopping = true;
    await this.#loop;
  }

  /** Ends as it is: for a test that has failed. */
  abandon(): void {
    this.#isAbandoned = true;
  }

  async #run(): Promise<void> {
    while (!this.#isAbandoned && (!this.#isStopping || this.#unacknowledged.some((batches) => batches.length > 0))) {
      let connection: RawConnection;
      await this.#held;
      try {
        connection = await RawConnection.open(this.#port);
      } catch {
        await delay(5);
        continue;
      }
      try {
        if (this.#producerId < 0n && !(await this.#initialize(connection))) continue;
        await this.#produceOn(connection);
      } catch (error) {
        if (error instanceof FatalProduceError) throw error;
        await delay(5);
      } finally {
        connection.destroy();
      }
    }
  }

  async #initialize(connection: RawConnection): Promise<boolean> {
    const answer = await call(connection, INIT_PRODUCER_ID, 1, Buffer.concat([int16(-1), int32(60_000)]));
    const error = answer.readInt16BE(4);
    if (error !== 0 && !retriable.has(error)) throw new FatalProduceError(`InitProducerId was answered with error ${error}`);
    if (error !== 0) return false;
    this.#producerId = answer.readBigInt64BE(6);
    this.#producerEpoch = answer.readInt16BE(14);
    return true;
  }

  /**
   * Until the connection fails or a batch is refused: everything unacknowledged again, in order, then new batches, a few in flight a partition. What is in
   * flight when one is refused is waited for: a broker that is stopped cleanly knows only the last batch of each producer afterwards, as Kafka does.
   */
  async #produceOn(connection: RawConnection): Promise<void> {
    const inFlight: Batch[] = [];
    const refused = new Map<number, Error>();
    let correlationId = 100;
    const send = (batch: Batch) => {
      inFlight.push(batch);
      connection.send(batch.request(correlationId));
      correlationId += 1;
    };
    for (const batches of this.#unacknowledged) for (const batch of batches) send(batch);
    for (;;) {
      for (let p = 0; p < this.#partitions && !this.#isStopping && refused.size === 0; p += 1) {
        while ((this.#unacknowledged[p]?.length ?? 0) < MAX_IN_FLIGHT) send(this.#newBatch(p));
      }
      const batch = inFlight.shift();
      if (batch === undefined) {
        for (const error of refused.values()) throw error; // The connection is given up and everything sent again.
        return;
      }
      const answer = (await connection.receive()).subarray(4);
      const at = 4 + 2 + answer.readInt16BE(4) + 4 + 4;
      const error = answer.readInt16BE(at);
      // Behind one that was refused the others of its partition are too.
      if (refused.has(batch.partition) && error !== 0) continue;
      const refusal = this.#take(batch, error, Number(answer.readBigInt64BE(at + 2)));
      if (refusal !== undefined) refused.set(batch.partition, refusal);
    }
  }

  /** Returns why it has to be sent again. */
  #take(batch: Batch, error: number, baseOffset: number): Error | undefined {
    if (error !== 0 && error !== DUPLICATE_SEQUENCE) {
      const what = `batch ${batch.partition}/${batch.baseSequence} was answered with error ${error}`;
      if (!retriable.has(error)) throw new FatalProduceError(what);
      return new Error(what);
    }
    const first = this.#unacknowledged[batch.partition]?.shift();
    if (first !== batch) throw new FatalProduceError('answers are out of order');
    // A broker that has the batch already need not know where.
    const isElsewhere = error === 0 && baseOffset >= 0 && baseOffset !== batch.baseSequence;
    if (isElsewhere) throw new FatalProduceError(`batch ${batch.partition}/${batch.baseSequence} was acknowledged at offset ${baseOffset}`);
    this.#counts[batch.partition] = batch.baseSequence + batch.count;
  }

  #newBatch(partition: number): Batch {
    const baseSequence = this.#nextSequence[partition] ?? 0;
    const count = this.#recordsPerBatch;
    this.#nextSequence[partition] = baseSequence + count;
    const values = Array.from({ length: count }, (_, i) => Buffer.from(`${partition}:${baseSequence + i}`));
    const records = buildBatch(values, { producerId: this.#producerId, producerEpoch: this.#producerEpoch, baseSequence });
    const body = Buffer.concat([
      ...[int16(-1), int16(-1), int32(30_000), int32(1), string16(this.#topic)],
      ...[int32(1), int32(partition), int32(records.length), records],
    ]);
    const batch: Batch = {
      partition,
      baseSequence,
      count,
      request: (correlationId) => encodeRequest({ apiKey: PRODUCE, apiVersion: 3, correlationId }, body),
    };
    this.#unacknowledged[partition]?.push(batch);
    return batch;
  }
}

/** The broker refused in a way that a correct broker never does. */
export class FatalProduceError extends Error {}
