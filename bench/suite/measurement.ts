// What one measurement is, and which figures there are. A run's results are these, one JSON line each.

export type Side = 'sluice' | 'kafka' | 'rocketmq' | 'bare' | 'lmdb' | 'better-sqlite3' | 'classic-level' | 'published in 2014' | 'npm lz4' | 'zstd-napi' | 'zlib';

/** What an acknowledgement means: in the page cache, or on disk. */
export type Mode = 'os' | 'fsync';

export type Client = 'native' | 'java' | 'kafkajs' | 'in process';

export interface Measurement {
  readonly workload: string;
  /** What is measured, in words; with client and settings it makes a row. */
  readonly name: string;
  readonly side: Side;
  /** Left out where an acknowledgement is not what it is about. */
  readonly mode?: Mode;
  readonly client?: Client;
  /** Batch and linger, record size, what is in flight. */
  readonly settings?: string;
  /** Which start of that side: the sides' n-th starts are neighbours in time and compared with each other. */
  readonly turn: number;
  readonly figures: Readonly<Record<string, number>>;
  /** [per cent, microseconds], for plots. */
  readonly percentiles?: readonly (readonly [number, number])[];
  /** Where it stands in a series (partitions, consumers, MB/s asked for). */
  readonly at?: number;
}

export interface Figure {
  readonly title: string;
  readonly isBetter: 'more' | 'less' | 'neither';
}

/** Every figure by its key, in the order of the table. */
export const FIGURES = {
  mbPerS: { title: 'MB/s', isBetter: 'more' },
  greatestMbPerS: { title: 'greatest MB/s with p99 <= 10 ms', isBetter: 'more' },
  gbPerS: { title: 'GB/s', isBetter: 'more' },
  recordsPerS: { title: 'records/s', isBetter: 'more' },
  requestsPerS: { title: 'requests/s', isBetter: 'more' },
  opsPerS: { title: 'operations/s', isBetter: 'more' },
  ratio: { title: 'times smaller', isBetter: 'more' },
  cpuSPerGb: { title: 'broker CPU s per GB', isBetter: 'less' },
  cpuSPerGbFirst: { title: 'broker CPU s, the first GB after the start', isBetter: 'less' },
  cpuSPerGbLast: { title: 'broker CPU s, the last GB', isBetter: 'less' },
  cpuSPerMillion: { title: 'broker CPU s per million requests', isBetter: 'less' },
  requestsPerGb: { title: 'requests per GB', isBetter: 'neither' },
  p50Ms: { title: 'p50 ms', isBetter: 'less' },
  p95Ms: { title: 'p95 ms', isBetter: 'less' },
  p99Ms: { title: 'p99 ms', isBetter: 'less' },
  p999Ms: { title: 'p99.9 ms', isBetter: 'less' },
  meanMs: { title: 'mean ms', isBetter: 'less' },
  loopDelayMs: { title: 'p99 delay of the event loop, ms', isBetter: 'less' },
  processCpuSPerGb: { title: "the program's CPU s per GB", isBetter: 'less' },
  mainThreadShare: { title: 'main thread busy, per cent', isBetter: 'less' },
  startMs: { title: 'start to the first ApiVersions, ms', isBetter: 'less' },
  restartMs: { title: 'after kill -9 to the first ApiVersions, ms', isBetter: 'less' },
  firstAckMs: { title: 'after kill -9 to the first acknowledged produce, ms', isBetter: 'less' },
  createMs: { title: 'topic created and led, ms', isBetter: 'less' },
  rssMb: { title: 'RSS, MB', isBetter: 'less' },
  peakRssMb: { title: 'greatest RSS, MB', isBetter: 'less' },
  diskMb: { title: 'kept on the disk, MB', isBetter: 'less' },
  descriptors: { title: 'file descriptors', isBetter: 'less' },
  maps: { title: 'memory maps', isBetter: 'less' },
  readerMbPerS: { title: "the reader's MB/s", isBetter: 'more' },
  clientShare: { title: "client's CPU, per cent of a core", isBetter: 'neither' },
} as const satisfies Record<string, Figure>;

export type FigureKey = keyof typeof FIGURES;

export const figureKeys = Object.keys(FIGURES) as FigureKey[];
