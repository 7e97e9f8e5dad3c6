// Producers, groups that commit, and topics that are made, all at once, on a broker that goes down and comes up again; and what must be there of it
// afterwards. Each producer has a topic of its own, so the offset of a record is its number.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { assertPartition } from './crash-check.js';
import { GroupProgress, GroupReader } from './group-reader.js';
import { IdempotentProducer, commitOffsetRaw, createTopicRaw, fetchOffsetRaw, findCoordinatorRaw, listTopicsRaw } from './raw-client.js';
import { RawConnection } from './wire.js';

const PARTITIONS = 3;
const GROUPS = ['group-a', 'group-b', 'group-c'] as const;
const READERS = 2;
const READERS_STAND_STILL_MS = 60_000;
/** Errors of a group's partition that is being loaded. */
const IS_LOADING = /error (14|15|16)$/;

interface Line {
  readonly topic: string;
  readonly producer: IdempotentProducer;
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
  readonly #readers: GroupReader[] = [];
  readonly #progress: GroupProgress;
  #isOver = false;

  private constructor(port: number, lines: Line[]) {
    this.#port = port;
    this.#lines = lines;
    this.#progress = new GroupProgress('readers', lines[0]!.topic, PARTITIONS);
  }

  static async start(port: number, { producers, hasReaders }: { producers: number; hasReaders: boolean }): Promise<CrashLoad> {
    const lines = Array.from({ length: producers }, (_, i): Line => {
      const topic = `crash-${i}`;
      return { topic, producer: new IdempotentProducer({ port, topic, partitions: PARTITIONS, recordsPerBatch: 1 + i * 13 }) };
    });
    const load = new CrashLoad(port, lines);
    for (const { topic } of lines) {
      await createTopicRaw(port, topic, PARTITIONS);
      load.#topics.set(topic, PARTITIONS);
    }
    for (const group of GROUPS) await findCoordinatorRaw(port, group);
    for (let i = 0; hasReaders && i < READERS; i += 1) load.#readers.push(new GroupReader(port, `reader-${i}`, load.#progress));
    for (const { producer } of lines) producer.start();
    load.#loops.push(load.#commit(), load.#createTopics());
    return load;
  }

  /** Of all producers. */
  get acknowledged(): number {
    return this.#lines.reduce((sum, { producer }) => sum + producer.acknowledged, 0);
  }

  /** Of the first producer's records, what the group of readers has had. */
  get read(): number {
    return this.#progress.records;
  }

  async reached(acknowledged: number): Promise<void> {
    this.#assertReadersGoOn();
    while (this.acknowledged < acknowledged) await Promise.race([delay(2), ...this.#lines.map(({ producer }) => producer.reached(producer.acknowledged + 1))]);
  }

  /** What is acknowledged by now. */
  promised(): Promised {
    return {
      records: new Map(this.#lines.map(({ topic, producer }) => [topic, producer.counts])), committed: new Map(this.#committed), topics: new Map(this.#topics),
    };
  }

  /** No records for a broker that comes up, before `event` has come or failed. */
  holdUntil(event: Promise<unknown>): void {
    for (const { producer } of this.#lines) producer.holdUntil(event);
  }

  /** Sends and reads what is left, and ends. Returns how many records there are. */
  async finish(): Promise<number> {
    this.#isOver = true;
    await Promise.all([...this.#loops, ...this.#lines.map(({ producer }) => producer.finish())]);
    const { records } = this.promised();
    if (this.#readers.length > 0) await this.#readTo(records.get(this.#lines[0]!.topic)!);
    await this.#stopReaders();
    return [...records.values()].flat().reduce((sum, count) => sum + count, 0);
  }

  #assertReadersGoOn(): void {
    for (const { failure } of this.#readers) if (failure !== undefined) throw failure;
  }

  /** Until the readers have so many of each partition. Throws when they have given up, or stand still. */
  async #readTo(counts: readonly number[]): Promise<void> {
    for (let [least, at] = [Infinity, 0]; least > 0; await delay(20)) {
      this.#assertReadersGoOn();
      const left = this.#progress.missing(counts);
      if (left < least) [least, at] = [left, performance.now()];
      if (performance.now() - at > READERS_STAND_STILL_MS) {
        throw new AggregateError(this.#readers.map(({ lastError }) => lastError), `for ${READERS_STAND_STILL_MS} ms the readers have read none of the ${least} records that are left`);
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

  async #stopReaders(): Promise<void> {
    await Promise.all(this.#readers.splice(0).map((reader) => reader.stop()));
  }
}

/** Everything promised is there, once, in order, on the broker at that port. Reads from where `verified` says, and brings it up to date. */
export async function assertPromised(port: number, promised: Promised, verified: Verified): Promise<void> {
  for (const [topic, counts] of promised.records) {
    for (const [partition, acknowledged] of counts.entries()) {
      const name = `${topic}-${partition}`;
      await assertPartition(port, topic, partition, acknowledged, verified.get(name));
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
