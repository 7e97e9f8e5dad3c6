// Producers, groups that commit, and topics that are made, all at once, on a broker that goes down and comes up again; and what must be there of it
// afterwards. Each producer has a topic of its own, so the offset of a record is its number.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { type Consumer, Kafka, logLevel } from 'kafkajs';
import { assertInOrder } from './crash-check.js';
import {
  type Acknowledged, IdempotentProducer, commitOffsetRaw, createTopicRaw, fetchOffsetRaw, findCoordinatorRaw, listTopicsRaw, readPartition,
} from './raw-client.js';
import { RawConnection } from './wire.js';

const PARTITIONS = 3;
const GROUPS = ['group-a', 'group-b', 'group-c'] as const;
const READERS = 2;
const READER_SESSION_MS = 6000;
const READERS_STAND_STILL_MS = 60_000;
/** Errors of a group's partition that is being loaded. */
const IS_LOADING = /error (14|15|16)$/;

interface Line {
  readonly topic: string;
  readonly producer: IdempotentProducer;
  /** How many of each partition's records are acknowledged, and how far into the list of them that was counted. */
  readonly counts: number[];
  counted: number;
}

/** What a broker, or a copy of its disk, must have. */
export interface Promised {
  readonly records: ReadonlyMap<string, readonly number[]>;
  readonly committed: ReadonlyMap<string, number>;
  readonly topics: ReadonlyMap<string, number>;
}

/** How far each partition has been read and found well, so that it need not be read again each time. */
export type Verified = Map<string, number>;

export class CrashLoad {
  readonly #port: number;
  readonly #lines: Line[];
  readonly #committed = new Map<string, number>();
  readonly #topics = new Map<string, number>();
  readonly #loops: Promise<void>[] = [];
  readonly #readers: Consumer[] = [];
  readonly #read = new Map<number, number>();
  #isOver = false;
  #readerFailure: Error | undefined;
  /** What a reader has met last, and come back from or not. */
  #lastCrash: Error | undefined;

  private constructor(port: number, lines: Line[]) {
    this.#port = port;
    this.#lines = lines;
  }

  static async start(port: number, { producers, hasReaders }: { producers: number; hasReaders: boolean }): Promise<CrashLoad> {
    const lines = Array.from({ length: producers }, (_, i): Line => {
      const topic = `crash-${i}`;
      return { topic, producer: new IdempotentProducer({ port, topic, partitions: PARTITIONS, recordsPerBatch: 1 + i * 13 }), counts: Array(PARTITIONS).fill(0), counted: 0 };
    });
    const load = new CrashLoad(port, lines);
    for (const { topic } of lines) {
      await createTopicRaw(port, topic, PARTITIONS);
      load.#topics.set(topic, PARTITIONS);
    }
    for (const group of GROUPS) await findCoordinatorRaw(port, group);
    if (hasReaders) await load.#startReaders();
    for (const { producer } of lines) producer.start();
    load.#loops.push(load.#commit(), load.#createTopics());
    return load;
  }

  /** Of all producers. */
  get acknowledged(): number {
    return this.#lines.reduce((sum, { producer }) => sum + producer.acknowledged.length, 0);
  }

  async reached(acknowledged: number): Promise<void> {
    if (this.#readerFailure !== undefined) throw this.#readerFailure;
    while (this.acknowledged < acknowledged) await Promise.race([delay(2), ...this.#lines.map(({ producer }) => producer.reached(producer.acknowledged.length + 1))]);
  }

  /** What is acknowledged by now. */
  promised(): Promised {
    for (const line of this.#lines) {
      const { acknowledged } = line.producer;
      for (; line.counted < acknowledged.length; line.counted += 1) count(line, acknowledged[line.counted]!);
    }
    return {
      records: new Map(this.#lines.map(({ topic, counts }) => [topic, [...counts]])), committed: new Map(this.#committed), topics: new Map(this.#topics),
    };
  }

  /** Sends and reads what is left, and ends. Returns how many records there are. */
  async finish(): Promise<number> {
    this.#isOver = true;
    await Promise.all([...this.#loops, ...this.#lines.map(({ producer }) => producer.finish())]);
    const { records } = this.promised();
    if (this.#readers.length > 0) {
      await this.#readTo(records.get(this.#lines[0]!.topic)!);
    }
    await this.#stopReaders();
    return [...records.values()].flat().reduce((sum, count) => sum + count, 0);
  }

  /** Until the readers have so many of each partition. Throws when they have given up, or stand still. */
  async #readTo(counts: readonly number[]): Promise<void> {
    const left = () => counts.reduce((sum, count, partition) => sum + Math.max(0, count - (this.#read.get(partition) ?? 0)), 0);
    for (let [least, at] = [left(), performance.now()]; least > 0; ) {
      if (this.#readerFailure !== undefined) throw this.#readerFailure;
      await delay(20);
      if (left() < least) [least, at] = [left(), performance.now()];
      if (performance.now() - at > READERS_STAND_STILL_MS) {
        throw new Error(`for ${READERS_STAND_STILL_MS} ms the readers have read none of the ${least} records that are left`, { cause: this.#lastCrash });
      }
    }
  }

  /** Ends as it is: for a run that has failed. */
  async abandon(): Promise<void> {
    this.#isOver = true;
    for (const { producer } of this.#lines) producer.abandon();
    await this.#stopReaders();
  }

  /** Repeats an action until the end; a failure means that the broker is down or coming up, and what failed promises nothing. */
  async #repeat(action: (connection: RawConnection) => Promise<void>): Promise<void> {
    while (!this.#isOver) {
      try {
        const connection = await RawConnection.open(this.#port);
        try {
          while (!this.#isOver) await action(connection);
        } finally {
          connection.destroy();
        }
      } catch {
        await delay(5);
      }
    }
  }

  #commit(): Promise<void> {
    let offset = 0;
    return this.#repeat(async (connection) => {
      offset += 1;
      const group = GROUPS[offset % GROUPS.length]!;
      await commitOffsetRaw(connection, group, 'crash-0', 0, offset);
      this.#committed.set(group, offset);
    });
  }

  #createTopics(): Promise<void> {
    let made = 0;
    return this.#repeat(async () => {
      const name = `made-${made}`;
      const partitions = 1 + (made % 3);
      await createTopicRaw(this.#port, name, partitions);
      this.#topics.set(name, partitions);
      made += 1;
      // Few: each costs the next start a folder, and there are many starts.
      await delay(500);
    });
  }

  /** A group whose members come back after each crash, and miss no record. */
  async #startReaders(): Promise<void> {
    const { topic } = this.#lines[0]!;
    for (let i = 0; i < READERS; i += 1) {
      const kafka = new Kafka({
        clientId: `reader-${i}`, brokers: [`127.0.0.1:${this.#port}`], logLevel: logLevel.NOTHING, retry: { retries: 1000, initialRetryTime: 20, maxRetryTime: 200 },
      });
      const consumer = kafka.consumer({ groupId: 'readers', sessionTimeout: READER_SESSION_MS, rebalanceTimeout: READER_SESSION_MS, heartbeatInterval: 500, maxWaitTimeInMs: 100 });
      this.#readers.push(consumer);
      consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
        this.#lastCrash = error;
        if (!restart) this.#readerFailure ??= new Error(`reader ${i} has given up`, { cause: error });
      });
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({
        autoCommitInterval: 100,
        eachMessage: async ({ partition, message }) => {
          const offset = Number(message.offset);
          const next = this.#read.get(partition) ?? 0;
          // Some come again after a crash; none is left out.
          if (offset > next) throw new Error(`reader: offset ${offset} of partition ${partition} came, and ${next} did not`);
          if (offset === next) this.#read.set(partition, next + 1);
        },
      });
    }
  }

  async #stopReaders(): Promise<void> {
    await Promise.all(this.#readers.splice(0).map((reader) => reader.disconnect().catch(() => {})));
  }
}

function count(line: Line, { partition, sequence, offset }: Acknowledged): void {
  assert.equal(sequence, line.counts[partition], `${line.topic}-${partition}: acknowledged out of order`);
  if (offset >= 0) assert.equal(offset, sequence, `record ${sequence} of ${line.topic}-${partition} was acknowledged at another offset`);
  line.counts[partition] = sequence + 1;
}

/** Everything promised is there, once, in order, on the broker at that port. Reads from where `verified` says, and brings it up to date. */
export async function assertPromised(port: number, promised: Promised, verified: Verified): Promise<void> {
  for (const [topic, counts] of promised.records) {
    for (const [partition, acknowledged] of counts.entries()) {
      const name = `${topic}-${partition}`;
      const from = verified.get(name) ?? 0;
      const records = await readPartition(port, topic, partition, from);
      assertInOrder(records, topic, partition, from);
      assert.ok(from + records.length >= acknowledged, `acknowledged, but not there: ${name} ends at ${from + records.length}, not ${acknowledged}`);
      verified.set(name, acknowledged);
    }
  }
  const listed = await listTopicsRaw(port);
  for (const [name, partitions] of promised.topics) assert.equal(listed.get(name), partitions, `topic ${name}`);
  const connection = await RawConnection.open(port);
  try {
    for (const [group, least] of promised.committed) {
      const found = await loaded(() => fetchOffsetRaw(connection, group, 'crash-0', 0));
      assert.ok(found >= least, `${group} committed ${least}, but ${found} was found`);
    }
  } finally {
    connection.destroy();
  }
}

/** Asks until the group's partition is loaded. */
async function loaded(ask: () => Promise<number>): Promise<number> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (attempt > 1000 || !IS_LOADING.test(String(error))) throw error;
      await delay(10);
    }
  }
}
