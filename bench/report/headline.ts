// The few numbers that somebody looks at first.
import { type Measurement } from '../suite/measurement.js';
import { Findings } from './goals.js';
import { show } from './statistics.js';

export interface Tile {
  readonly big: string;
  readonly what: string;
  readonly detail: string;
  readonly isGood: boolean;
}

function times(value: number): string {
  return value >= 10 ? `${value.toFixed(0)}x` : `${value.toFixed(1)}x`;
}

export function tilesOf(measurements: readonly Measurement[]): Tile[] {
  const find = new Findings(measurements);
  const tiles: Tile[] = [];
  const compare = (what: string, ours: number, theirs: number, isMore: boolean, unit: string, peer: string) => {
    if (Number.isNaN(ours) || Number.isNaN(theirs) || ours <= 0 || theirs <= 0) return;
    const ratio = isMore ? ours / theirs : theirs / ours;
    tiles.push({ big: times(ratio), what, detail: `${show(ours)} against ${show(theirs)} ${unit}, ${peer}`, isGood: ratio >= 1 });
  };
  const fetched = { workload: 'fetch', name: 'from the beginning' };
  const crash = { workload: 'b4', name: '' };
  const idle = { workload: 'b5', name: 'idle' };
  const big = { workload: 'produce', name: 'batches', client: 'native' } as const;
  const many = { workload: 'b8', name: '64 connections' };
  const echo = { workload: 'e2e', name: 'producer to waiting' };
  compare('the throughput, durable', find.greatest(big, 'sluice', 'fsync', 'mbPerS'), find.greatest(big, 'kafka', 'fsync', 'mbPerS'), true, 'MB/s', 'both durable');
  compare('the throughput, page cache', find.greatest(big, 'sluice', 'os', 'mbPerS'), find.greatest(big, 'kafka', 'os', 'mbPerS'), true, 'MB/s', 'neither syncs');
  compare(
    'the small requests, durable', find.one(many, 'sluice', 'fsync', 'requestsPerS'), find.one(many, 'kafka', 'os', 'requestsPerS'), true, 'requests/s',
    'Kafka without syncs',
  );
  compare('less CPU for a small request', find.one(many, 'sluice', 'os', 'cpuSPerMillion'), find.one(many, 'kafka', 'os', 'cpuSPerMillion'), false, 'us', 'broker CPU');
  compare('lower p99, end to end, durable', find.one(echo, 'sluice', 'fsync', 'p99Ms'), find.one(echo, 'kafka', 'os', 'p99Ms'), false, 'ms', 'Kafka without syncs');
  compare('less CPU to fetch', find.one(fetched, 'sluice', undefined, 'cpuSPerGb'), find.one(fetched, 'kafka', undefined, 'cpuSPerGb'), false, 's per GB', 'segments in memory');
  compare('quicker back after kill -9', find.one(crash, 'sluice', 'fsync', 'firstAckMs'), find.one(crash, 'kafka', 'os', 'firstAckMs'), false, 'ms', 'to the first acknowledged produce');
  compare('less memory when idle', find.one(idle, 'sluice', undefined, 'rssMb'), find.one(idle, 'kafka', undefined, 'rssMb'), false, 'MB', 'RSS');
  return tiles;
}
