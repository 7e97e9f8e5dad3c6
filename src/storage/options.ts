import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { type Compression, type Durability, type IoDriver, type LogSettings } from '../native/binding.js';
import { LogError } from './errors.js';

export interface OpenLogOptions {
  /** Directory of the log; made if missing. One engine at a time holds it. */
  dir: string;
  /** Name of the log, which is also the name of its folders: letters, digits, '.', '_' and '-'. Default 'log'. */
  name?: string;
  /** How many partitions the log has, 1 to 10,000. Default 1. With fewer than before the others stay as they are. */
  partitions?: number;
  /** 'fsync' (default): visible and answered when a power cut can no longer take it. 'os': when the page cache has it. */
  durability?: Durability;
  /** Compression of appended records unless append() says otherwise. Default 'none'. */
  compression?: Compression;
  /** Largest batch in bytes, before and after compression. Default 4 MiB. */
  maxBatchBytes?: number;
  /** A segment file is closed at this size. Default 1 GiB. */
  segmentBytes?: number;
  /** Records older than this may be deleted with their segment. Default -1: kept for ever. */
  retentionMs?: number;
  /** Oldest segments are deleted above this size. Default -1: no limit. */
  retentionBytes?: number;
  /** Bytes that the journal may take. Default 64 MiB. */
  journalBytes?: number;
  /** Appends are refused with ERR_SLUICE_BUSY while this many bytes of earlier ones wait to be written. Default 256 MiB. */
  maxPendingBytes?: number;
  /** 'auto' (default), 'io_uring' or 'epoll'. */
  ioDriver?: 'auto' | IoDriver;
}

/** As docs/embedded.md lists them. */
export const OPTION_NAMES = [
  'dir', 'name', 'partitions', 'durability', 'compression', 'maxBatchBytes', 'segmentBytes', 'retentionMs', 'retentionBytes', 'journalBytes', 'maxPendingBytes',
  'ioDriver',
] as const satisfies readonly (keyof OpenLogOptions)[];

export interface ResolvedOptions {
  dir: string;
  name: string;
  topicId: string;
  partitions: number;
  compression: Compression;
  journalBytes: number;
  maxPendingBytes: number;
  ioDriver: 'auto' | IoDriver;
  settings: LogSettings;
}

const MiB = 1024 * 1024;

function whole(value: number | undefined, name: string, fallback: number, min: number, max: number): number {
  if (value === undefined) return fallback;
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new LogError('ERR_SLUICE_INVALID', `${name} must be a whole number from ${min} to ${max}, not ${String(value)}`);
  }
  return value;
}

function oneOf<T extends string>(value: T | undefined, name: string, allowed: readonly T[], fallback: T): T {
  if (value === undefined) return fallback;
  if (!allowed.includes(value)) throw new LogError('ERR_SLUICE_INVALID', `${name} must be one of ${allowed.join(', ')}, not ${String(value)}`);
  return value;
}

/** An id that follows from the name, so that a log is the same log at every start. */
function idOf(name: string): string {
  return createHash('sha256').update(`sluice:${name}`).digest().subarray(0, 16).toString('base64url');
}

/** Checks the options; throws a LogError that names what is wrong and what would be right. */
export function resolveOptions(options: OpenLogOptions): ResolvedOptions {
  if (typeof options !== 'object' || options === null || typeof options.dir !== 'string' || options.dir === '') {
    throw new LogError('ERR_SLUICE_INVALID', 'openLog needs { dir: "path of a directory" }');
  }
  const known: readonly string[] = OPTION_NAMES;
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) throw new LogError('ERR_SLUICE_INVALID', `openLog knows no option '${key}'; known are ${known.join(', ')}`);
  }
  if (options.dir.includes('\0')) throw new LogError('ERR_SLUICE_INVALID', 'dir must be the path of a directory, and has a zero byte');
  const name = options.name ?? 'log';
  if (typeof name !== 'string' || !/^[A-Za-z0-9._-]{1,200}$/.test(name) || name === '.' || name === '..') {
    throw new LogError('ERR_SLUICE_INVALID', `name must be 1 to 200 letters, digits, '.', '_' or '-', not '${String(name)}'`);
  }
  const maxBatchBytes = whole(options.maxBatchBytes, 'maxBatchBytes', 4 * MiB, 1024, 512 * MiB);
  return {
    // A program may change its working directory later.
    dir: resolve(options.dir),
    name,
    topicId: idOf(name),
    partitions: whole(options.partitions, 'partitions', 1, 1, 10_000),
    compression: oneOf(options.compression, 'compression', ['none', 'gzip', 'snappy', 'lz4', 'zstd'], 'none'),
    journalBytes: whole(options.journalBytes, 'journalBytes', 64 * MiB, 32 * MiB, 64 * 1024 * MiB),
    maxPendingBytes: whole(options.maxPendingBytes, 'maxPendingBytes', 256 * MiB, 1 * MiB, Number.MAX_SAFE_INTEGER),
    ioDriver: oneOf(options.ioDriver, 'ioDriver', ['auto', 'io_uring', 'epoll'], 'auto'),
    settings: {
      segmentBytes: whole(options.segmentBytes, 'segmentBytes', 1024 * MiB, 1 * MiB, 2 ** 31 - 1),
      segmentMs: 7 * 24 * 3600 * 1000,
      segmentIndexBytes: 10 * MiB,
      indexIntervalBytes: 4096,
      retentionMs: whole(options.retentionMs, 'retentionMs', -1, -1, Number.MAX_SAFE_INTEGER),
      retentionBytes: whole(options.retentionBytes, 'retentionBytes', -1, -1, Number.MAX_SAFE_INTEGER),
      fileDeleteDelayMs: 1000,
      maxMessageBytes: maxBatchBytes,
      cleanupDelete: true,
      cleanupCompact: false,
      minCleanableRatio: 0.5,
      minCompactionLagMs: 0,
      maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
      deleteRetentionMs: 86_400_000,
      logAppendTime: false,
      timestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
      timestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
      compression: 'producer',
      producerIdExpirationMs: 24 * 3600 * 1000,
      durability: oneOf(options.durability, 'durability', ['fsync', 'os'], 'fsync'),
    },
  };
}
