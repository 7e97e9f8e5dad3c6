import { type FoundOffset, type LogEnds, type NativeRecord, type PartitionRef, type RecordsOutcome } from '../native/binding.js';
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
  /** Bytes read from the disk at a time. Default 1 MiB. */
  chunkBytes?: number;
}

/** What a reader needs of the engine. */
export interface ReadSource {
  readRecords(ref: PartitionRef, offset: bigint, maxBytes: number): Promise<RecordsOutcome>;
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

export async function* readLog(source: ReadSource, ref: PartitionRef, options: ReadOptions): AsyncGenerator<NativeRecord, void, void> {
  const { limit = Infinity, live = false, signal, chunkBytes = 1 << 20 } = options;
  if (limit !== Infinity && (!Number.isInteger(limit) || limit < 0)) {
    throw new LogError('ERR_SLUICE_INVALID', `limit must be a whole number, not ${String(limit)}`);
  }
  if (!Number.isInteger(chunkBytes) || chunkBytes < 1 || chunkBytes > 1 << 30) {
    throw new LogError('ERR_SLUICE_INVALID', `chunkBytes must be a whole number from 1 to ${1 << 30}, not ${String(chunkBytes)}`);
  }
  signal?.throwIfAborted();
  let offset = await firstOffset(source, ref, options.from ?? 'start');
  let given = 0;
  while (given < limit) {
    signal?.throwIfAborted();
    const { records, nextOffset, highWatermark } = await source.readRecords(ref, offset, chunkBytes);
    for (const record of records) {
      signal?.throwIfAborted();
      yield record;
      offset = record.offset + 1n;
      if (++given >= limit) return;
    }
    if (nextOffset > offset) offset = nextOffset;
    if (records.length > 0 || offset < highWatermark) continue;
    if (!live) return;
    await source.waitForOffset(ref, offset, signal);
  }
}
