// The embedded engine: Kafka's log inside a Node program, without the network.
import {
  type AppendOptions, type AppendOutcome, type EngineStats, type LogEnds, type NativeEngine, type NativeRecord, type PartitionRef, type RecordInput,
} from '../native/binding.js';
import { loadBinding } from '../native/load.js';
import { NativeError } from '../native/errors.js';
import { LogError, toLogError } from './errors.js';
import { type OpenLogOptions, type ResolvedOptions, resolveOptions } from './options.js';
import { type ReadOptions, readLog } from './reader.js';

/** A record as read back. Offsets are bigint, times milliseconds since 1970. */
export type LogRecord = NativeRecord;

/** What became of an append. Both promises give the offsets; both fail together. */
export interface Append {
  /** The records have their offsets and readers see them. */
  readonly committed: Promise<AppendOutcome>;
  /** A power cut can no longer take them. The same moment as `committed` in mode fsync, later in mode os. */
  readonly durable: Promise<AppendOutcome>;
}

export interface AppendTarget extends Pick<AppendOptions, 'compression' | 'compressionLevel'> {
  /** Default 0. */
  partition?: number;
}

export class SluiceLog {
  readonly #engine: NativeEngine;
  readonly #options: ResolvedOptions;
  #closing: Promise<void> | undefined;
  #nextWait = 1;

  private constructor(engine: NativeEngine, options: ResolvedOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  static async open(options: OpenLogOptions): Promise<SluiceLog> {
    const resolved = resolveOptions(options);
    const engine = loadBinding().createEngine(
      { dir: resolved.dir, journalBytes: resolved.journalBytes, ioDriver: resolved.ioDriver },
      {
        onRequests() {},
        onDisconnect() {},
        onLog(severity, line) {
          if (severity !== 'info') process.emitWarning(line, { code: 'SLUICE' });
        },
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
    return new SluiceLog(engine, resolved);
  }

  get partitions(): number {
    return this.#options.partitions;
  }

  /** Appends records as one batch; their offsets follow each other. The bytes are copied before this returns. */
  append(records: RecordInput | readonly RecordInput[], target: AppendTarget = {}): Append {
    const list = Array.isArray(records) ? (records as readonly RecordInput[]) : [records as RecordInput];
    const options: AppendOptions = { compression: target.compression ?? this.#options.compression };
    if (target.compressionLevel !== undefined) options.compressionLevel = target.compressionLevel;
    const ref = this.#ref(target.partition);
    return this.#append(ref, () => this.#engine.appendRecords(ref, list, options));
  }

  /** Appends one ready record batch of Kafka's format 2. It is checked as a broker checks a producer's. */
  appendBatch(batch: Uint8Array, target: { partition?: number } = {}): Append {
    const ref = this.#ref(target.partition);
    return this.#append(ref, () => this.#engine.appendBatch(ref, batch));
  }

  #append(ref: PartitionRef, run: () => Promise<AppendOutcome>): Append {
    const committed = this.#run(run);
    const durable = this.#options.settings.durability === 'fsync'
      ? committed
      : committed.then(async (outcome) => {
        await this.#run(() => this.#engine.whenDurable(ref, outcome.lastOffset + 1n));
        return outcome;
      });
    // A program that looks at one of the two has seen the failure of both.
    committed.catch(() => {});
    durable.catch(() => {});
    return { committed, durable };
  }

  /** Records in order. With `live` it goes on with what is appended later, until the signal aborts or the iterator is left. */
  read(options: ReadOptions = {}): AsyncGenerator<LogRecord, void, void> {
    return readLog(
      {
        readRecords: (ref, offset, maxBytes) => this.#run(() => this.#engine.readRecords(ref, offset, maxBytes)),
        ends: (ref) => this.#run(() => this.#engine.ends(ref)),
        findTimestamp: (ref, timestampMs) => this.#run(() => this.#engine.findTimestamp(ref, timestampMs)),
        waitForOffset: (ref, offset, signal) => this.#wait(ref, offset, signal),
      },
      this.#ref(options.partition),
      options,
    );
  }

  /** Where the log begins and ends. */
  ends(partition = 0): Promise<LogEnds> {
    return this.#run(() => this.#engine.ends(this.#ref(partition)));
  }

  /** The first record at or after a time; undefined when there is none. */
  async offsetAt(time: Date | number, partition = 0): Promise<bigint | undefined> {
    const found = await this.#run(() => this.#engine.findTimestamp(this.#ref(partition), BigInt(Math.trunc(Number(time)))));
    return found?.offset;
  }

  /** Forgets the records before an offset; resolves with the new start when that is durable. */
  trim(before: bigint, partition = 0): Promise<bigint> {
    return this.#run(() => this.#engine.deleteRecords(this.#ref(partition), before));
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
    return this.#run(() => this.#engine.verify(this.#ref(partition)));
  }

  stats(): Promise<EngineStats> {
    return this.#run(() => this.#engine.stats());
  }

  /** Waits for what is in flight, syncs, writes Kafka's checkpoints and lets the directory go. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#engine.close({ clean: true }).catch((error: unknown) => {
      throw toLogError(error);
    });
    return this.#closing;
  }

  [Symbol.for('nodejs.asyncDispose')](): Promise<void> {
    return this.close();
  }

  #ref(partition = 0): PartitionRef {
    if (!Number.isInteger(partition) || partition < 0 || partition >= this.partitions) {
      throw new LogError('ERR_SLUICE_INVALID', `partition must be a whole number below ${this.partitions}, not ${String(partition)}`);
    }
    return { topicId: this.#options.topicId, partition };
  }

  async #run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#closing) throw new LogError('ERR_SLUICE_CLOSED', 'the log is closed');
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
export function openLog(options: OpenLogOptions): Promise<SluiceLog> {
  return SluiceLog.open(options);
}
