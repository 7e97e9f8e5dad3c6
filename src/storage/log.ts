// The embedded engine: Kafka's log inside a Node program, without the network.
import {
  type AppendOutcome, type Compression, type EngineStats, type LogEnds, type NativeEngine, type NativeRecord, type PartitionRef, type RecordInput,
} from '../native/binding.js';
import { loadBinding } from '../native/load.js';
import { NativeError } from '../native/errors.js';
import { Appender, failed } from './appender.js';
import { LogError, toLogError } from './errors.js';
import { Flights, ignore } from './flights.js';
import { type OpenLogOptions, type ResolvedOptions, resolveOptions } from './options.js';
import { type ReadOptions, type ReadSource, readBatches, RecordReader } from './reader.js';

/** A record as read back. Offsets are bigint, times milliseconds since 1970. */
export type LogRecord = NativeRecord;

/** What became of an append. Both promises give the offsets; both fail together. */
export interface Append {
  /** The records have their offsets and readers see them. */
  readonly committed: Promise<AppendOutcome>;
  /** A power cut can no longer take them. The same moment as `committed` in mode fsync, later in mode os. */
  readonly durable: Promise<AppendOutcome>;
}

class PendingAppend implements Append {
  readonly committed: Promise<AppendOutcome>;
  readonly #sync: ((outcome: AppendOutcome) => Promise<void>) | undefined;
  #durable: Promise<AppendOutcome> | undefined;

  /** Without `sync`, committed means durable. */
  constructor(committed: Promise<AppendOutcome>, sync?: (outcome: AppendOutcome) => Promise<void>) {
    this.committed = committed;
    this.#sync = sync;
    if (sync === undefined) this.#durable = committed;
  }

  get durable(): Promise<AppendOutcome> {
    if (this.#durable === undefined) {
      this.#durable = this.committed.then(async (outcome) => {
        await this.#sync?.(outcome);
        return outcome;
      });
      this.#durable.catch(ignore);
    }
    return this.#durable;
  }
}

const closedError = (): LogError => new LogError('ERR_SLUICE_CLOSED', 'the log is closed');

export interface AppendTarget {
  /** Default 0. */
  partition?: number;
  /** Default: the log's. */
  compression?: Compression;
  compressionLevel?: number;
}

export class SluiceLog {
  readonly #engine: NativeEngine;
  readonly #options: ResolvedOptions;
  readonly #flights: Flights;
  readonly #appender: Appender;
  readonly #source: ReadSource;
  #closing: Promise<void> | undefined;
  #nextWait = 1;

  private constructor(engine: NativeEngine, flights: Flights, options: ResolvedOptions) {
    this.#engine = engine;
    this.#flights = flights;
    this.#appender = new Appender(engine, options.topicId, flights, options.maxPendingBytes);
    this.#options = options;
    this.#source = {
      readPacked: (ref, offset, maxBytes) => this.#run(() => engine.readPacked(ref, offset, maxBytes)),
      ends: (ref) => this.#run(() => engine.ends(ref)),
      findTimestamp: (ref, timestampMs) => this.#run(() => engine.findTimestamp(ref, timestampMs)),
      waitForOffset: (ref, offset, signal) => this.#wait(ref, offset, signal),
    };
  }

  static async open(options: OpenLogOptions): Promise<SluiceLog> {
    const resolved = resolveOptions(options);
    const flights = new Flights((failure) => toLogError(new NativeError(failure)));
    const engine = loadBinding().createEngine(
      { dir: resolved.dir, journalBytes: resolved.journalBytes, ioDriver: resolved.ioDriver },
      {
        onRequests() {},
        onDisconnect() {},
        onLog(severity, line) {
          if (severity !== 'info') process.emitWarning(line, { code: 'SLUICE' });
        },
        onAppended: (groups, failures) => flights.onAppended(groups, failures),
      },
    );
    try {
      await engine.open();
      const outcomes = await engine.openPartitions(
        Array.from({ length: resolved.partitions }, (_, partition) => ({
          topic: resolved.name, topicId: resolved.topicId, partition, leaderEpoch: 0, settings: resolved.settings,
        })),
      );
      const failed = outcomes.find((outcome) => outcome !== null);
      if (failed) throw new NativeError(failed);
      await engine.finishRecovery({ keepUnknown: true });
    } catch (error) {
      await engine.close({ clean: false });
      throw toLogError(error);
    }
    return new SluiceLog(engine, flights, resolved);
  }

  get partitions(): number {
    return this.#options.partitions;
  }

  /**
   * Appends records; their offsets follow each other. The bytes are copied before this returns. Appends of one turn of the event loop share
   * batches, so many small ones at once cost little more than one large one.
   */
  append(records: RecordInput | readonly RecordInput[], target: AppendTarget = {}): Append {
    const partition = this.#partition(target.partition);
    if (this.#closing) return new PendingAppend(failed(closedError()));
    const list = Array.isArray(records) ? (records as readonly RecordInput[]) : [records as RecordInput];
    const { compression = this.#options.compression, compressionLevel } = target;
    return this.#pending(partition, this.#appender.append(partition, list, { compression, compressionLevel }));
  }

  /** Appends one ready record batch of Kafka's format 2. It is checked as a broker checks a producer's. */
  appendBatch(batch: Uint8Array, target: { partition?: number } = {}): Append {
    const partition = this.#partition(target.partition);
    const refusal = this.#appender.refusal();
    if (refusal !== undefined) return new PendingAppend(failed(refusal));
    const committed = this.#run(() => this.#engine.appendBatch(this.#ref(partition), batch));
    const bytes = batch instanceof Uint8Array ? batch.length : 0;
    const settled = (): void => void (this.#flights.pendingBytes -= bytes);
    this.#flights.pendingBytes += bytes;
    committed.then(settled, settled);
    return this.#pending(partition, committed);
  }

  #pending(partition: number, committed: Promise<AppendOutcome>): Append {
    if (this.#options.settings.durability === 'fsync') return new PendingAppend(committed);
    return new PendingAppend(committed, (outcome) => this.#untilDurable(partition, outcome.lastOffset + 1n));
  }

  /** Whatever is under way when the log is closed is durable when it is. */
  async #untilDurable(partition: number, end: bigint): Promise<void> {
    try {
      await this.#run(() => this.#engine.whenDurable(this.#ref(partition), end));
    } catch (error) {
      if (this.#closing === undefined) throw error;
      await this.#closing;
    }
  }

  /** Records in order. With `live` it goes on with what is appended later, until the signal aborts or the iterator is left. */
  read(options: ReadOptions = {}): AsyncGenerator<LogRecord, void, void> {
    return new RecordReader(this.#source, this.#ref(this.#partition(options.partition)), options);
  }

  /** The same in arrays of records as they are read from the disk, for programs that want them fast. */
  readBatches(options: ReadOptions = {}): AsyncGenerator<LogRecord[], void, void> {
    return readBatches(this.#source, this.#ref(this.#partition(options.partition)), options);
  }

  /** Where the log begins and ends. */
  ends(partition = 0): Promise<LogEnds> {
    return this.#run(() => this.#engine.ends(this.#ref(this.#partition(partition))));
  }

  /** The first record at or after a time; undefined when there is none. */
  async offsetAt(time: Date | number, partition = 0): Promise<bigint | undefined> {
    const ms = Math.trunc(Number(time));
    if (!Number.isSafeInteger(ms)) throw new LogError('ERR_SLUICE_INVALID', `a time must be a Date or milliseconds since 1970, not ${String(time)}`);
    const found = await this.#run(() => this.#engine.findTimestamp(this.#ref(this.#partition(partition)), BigInt(ms)));
    return found?.offset;
  }

  /** Forgets the records before an offset; resolves with the new start when that is durable. */
  async trim(before: bigint, partition = 0): Promise<bigint> {
    if (typeof before !== 'bigint') throw new LogError('ERR_SLUICE_INVALID', `an offset must be a bigint, not ${String(before)}`);
    return this.#run(() => this.#engine.deleteRecords(this.#ref(this.#partition(partition)), before));
  }

  /** Makes everything appended so far durable, whatever the mode. */
  async flush(): Promise<void> {
    for (let partition = 0; partition < this.partitions; ++partition) {
      const ref = this.#ref(partition);
      await this.#run(async () => this.#engine.whenDurable(ref, (await this.#engine.ends(ref)).end));
    }
  }

  /** Reads every batch and checks it; fails with ERR_SLUICE_CORRUPT at the first that does not hold. */
  verify(partition = 0): Promise<{ batches: number; records: number; bytes: number }> {
    return this.#run(() => this.#engine.verify(this.#ref(this.#partition(partition))));
  }

  stats(): Promise<EngineStats> {
    return this.#run(() => this.#engine.stats());
  }

  /** Waits for what is in flight, syncs, writes Kafka's checkpoints and lets the directory go. May be called twice. */
  close(): Promise<void> {
    if (this.#closing) return this.#closing;
    this.#appender.flush();
    this.#closing = this.#engine.close({ clean: true }).catch((error: unknown) => {
      throw toLogError(error);
    }).finally(() => this.#flights.close());
    return this.#closing;
  }

  [Symbol.for('nodejs.asyncDispose')](): Promise<void> {
    return this.close();
  }

  #partition(partition = 0): number {
    if (!Number.isInteger(partition) || partition < 0 || partition >= this.partitions) {
      throw new LogError('ERR_SLUICE_INVALID', `partition must be a whole number below ${this.partitions}, not ${String(partition)}`);
    }
    return partition;
  }

  #ref(partition: number): PartitionRef {
    return { topicId: this.#options.topicId, partition };
  }

  /** Asks the engine when it has been handed everything appended so far. */
  async #run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#closing) throw closedError();
    this.#appender.flush();
    try {
      return await call();
    } catch (error) {
      throw toLogError(error);
    }
  }

  async #wait(ref: PartitionRef, offset: bigint, signal: AbortSignal | undefined): Promise<void> {
    const id = this.#nextWait++;
    const abort = (): void => this.#engine.cancelWait(id);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      while (!signal?.aborted) {
        try {
          await this.#run(() => this.#engine.waitForOffset(ref, offset, 60_000, id));
          return;
        } catch (error) {
          if (error instanceof LogError && error.code === 'ERR_SLUICE_TIMEOUT') continue;
          if (!signal?.aborted) throw error;
        }
      }
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }
}

/** Opens a log in a directory of its own. */
export async function openLog(options: OpenLogOptions): Promise<SluiceLog> {
  try {
    return await SluiceLog.open(options);
  } catch (error) {
    throw toLogError(error);
  }
}
