import { type FoundOffset, type LogEnds, type NativeRecord, type PackedRecords, type PartitionRef } from '../native/binding.js';
import { unpackRecords } from '../native/records.js';
import { LogError } from './errors.js';

export interface ReadOptions {
  /** Default 0. */
  partition?: number;
  /** An offset, a time, or an end of the log. Default 'start'. */
  from?: bigint | Date | 'start' | 'end';
  /** Ends after this many records. */
  limit?: number;
  /** Goes on with records appended later. Default false: ends at the end as it is when it is reached. */
  live?: boolean;
  /** Ends the iteration with the signal's reason. */
  signal?: AbortSignal;
  /** Bytes read from the disk at a time. Keys and values are views of these; copy what is kept for long. Default: up to 1 MiB, less for few records. */
  chunkBytes?: number;
}

/** What a reader needs of the engine. */
export interface ReadSource {
  readPacked(ref: PartitionRef, offset: bigint, maxBytes: number): Promise<PackedRecords>;
  ends(ref: PartitionRef): Promise<LogEnds>;
  findTimestamp(ref: PartitionRef, timestampMs: bigint): Promise<FoundOffset | null>;
  waitForOffset(ref: PartitionRef, offset: bigint, signal: AbortSignal | undefined): Promise<void>;
}

async function firstOffset(source: ReadSource, ref: PartitionRef, from: NonNullable<ReadOptions['from']>): Promise<bigint> {
  if (typeof from === 'bigint') return from;
  if (from === 'start') return (await source.ends(ref)).logStart;
  if (from === 'end') return (await source.ends(ref)).highWatermark;
  if (from instanceof Date && !Number.isNaN(from.getTime())) {
    const found = await source.findTimestamp(ref, BigInt(from.getTime()));
    return found?.offset ?? (await source.ends(ref)).highWatermark;
  }
  throw new LogError('ERR_SLUICE_INVALID', "from must be an offset (bigint), a Date, 'start' or 'end'");
}

const KNOWN: ReadonlySet<string> = new Set(['partition', 'from', 'limit', 'live', 'signal', 'chunkBytes'] satisfies (keyof ReadOptions)[]);

/** Unless the program says: what a record may take, and what one read takes at least and at most. */
const RECORD_BYTES = 512;
const LEAST_BYTES = 4 << 10;
const MOST_BYTES = 1 << 20;

function checkOptions(options: ReadOptions): { limit: number; chunkBytes: number } {
  const { limit = Infinity, signal } = options;
  const unknown = Object.keys(options).find((name) => !KNOWN.has(name));
  if (unknown !== undefined) throw new LogError('ERR_SLUICE_INVALID', `reading knows no option '${unknown}'; known are ${[...KNOWN].join(', ')}`);
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw new LogError('ERR_SLUICE_INVALID', 'signal must be an AbortSignal');
  if (limit !== Infinity && (!Number.isInteger(limit) || limit < 0)) {
    throw new LogError('ERR_SLUICE_INVALID', `limit must be a whole number, not ${String(limit)}`);
  }
  const { chunkBytes = Math.min(MOST_BYTES, Math.max(LEAST_BYTES, limit * RECORD_BYTES)) } = options;
  if (!Number.isInteger(chunkBytes) || chunkBytes < 1 || chunkBytes > 1 << 30) {
    throw new LogError('ERR_SLUICE_INVALID', `chunkBytes must be a whole number from 1 to ${1 << 30}, not ${String(chunkBytes)}`);
  }
  return { limit, chunkBytes };
}

/** Records in arrays, as they are read; none is empty. The next read is under way while the program looks at one. */
export async function* readBatches(source: ReadSource, ref: PartitionRef, options: ReadOptions): AsyncGenerator<NativeRecord[], void, void> {
  const { limit, chunkBytes: firstBytes } = checkOptions(options);
  const { live = false, signal } = options;
  let chunkBytes = firstBytes;
  signal?.throwIfAborted();
  let offset = await firstOffset(source, ref, options.from ?? 'start');
  let given = 0;
  let ahead: Promise<PackedRecords> | undefined;
  while (given < limit) {
    signal?.throwIfAborted();
    const packed = await (ahead ?? source.readPacked(ref, offset, chunkBytes));
    ahead = undefined;
    if (options.chunkBytes === undefined) chunkBytes = MOST_BYTES;
    if (packed.nextOffset > offset) offset = packed.nextOffset;
    const records = unpackRecords(packed);
    if (records.length > limit - given) records.length = limit - given;
    given += records.length;
    if (given < limit && offset < packed.highWatermark) {
      ahead = source.readPacked(ref, offset, chunkBytes);
      ahead.catch(() => {});  // told when its turn comes, if it does
    }
    if (records.length > 0) {
      signal?.throwIfAborted();
      yield records;
    } else if (ahead === undefined) {
      if (!live) return;
      await source.waitForOffset(ref, offset, signal);
    }
  }
}

type Result = IteratorResult<NativeRecord, void>;

/** Records one by one. By hand, since an async generator costs several turns of the microtask queue for each. */
export class RecordReader implements AsyncGenerator<NativeRecord, void, void> {
  readonly #batches: AsyncGenerator<NativeRecord[], void, void>;
  readonly #signal: AbortSignal | undefined;
  #records: readonly NativeRecord[] = [];
  #next = 0;
  #done = false;
  /** The last call that could not be answered at once; those behind it keep their order. */
  #last: Promise<unknown> | undefined;

  constructor(source: ReadSource, ref: PartitionRef, options: ReadOptions) {
    this.#batches = readBatches(source, ref, options);
    this.#signal = options.signal;
  }

  next(): Promise<Result> {
    if (this.#last === undefined && this.#next < this.#records.length && this.#signal?.aborted !== true) {
      return Promise.resolve({ done: false, value: this.#records[this.#next++]! });
    }
    return this.#inTurn(() => this.#refill());
  }

  return(): Promise<Result> {
    this.#done = true;
    return this.#inTurn(() => this.#end());
  }

  throw(error: unknown): Promise<Result> {
    this.#done = true;
    return this.#inTurn(async () => {
      await this.#end();
      throw error;
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.for('nodejs.asyncDispose')](): Promise<void> {
    return this.return().then(() => {});
  }

  #inTurn(run: () => Promise<Result>): Promise<Result> {
    const before = this.#last;
    const result = before === undefined ? run() : before.then(run, run);
    this.#last = result;
    const settled = (): void => {
      if (this.#last === result) this.#last = undefined;
    };
    result.then(settled, settled);
    return result;
  }

  async #end(): Promise<Result> {
    this.#records = [];
    this.#next = 0;
    await this.#batches.return();
    return { done: true, value: undefined };
  }

  async #refill(): Promise<Result> {
    if (this.#done) return { done: true, value: undefined };
    if (this.#signal?.aborted === true) {
      this.#done = true;
      await this.#end();
      throw this.#signal.reason;
    }
    if (this.#next >= this.#records.length) {
      this.#records = [];
      this.#next = 0;
      const more = await this.#batches.next();
      if (more.done === true) {
        this.#done = true;
        return { done: true, value: undefined };
      }
      this.#records = more.value;
    }
    return { done: false, value: this.#records[this.#next++]! };
  }
}
