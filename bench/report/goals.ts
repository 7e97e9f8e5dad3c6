// What Sluice is meant to reach, judged from one run: each goal reads the figures that it is about and says what it found.
import { type Client, type FigureKey, type Measurement, type Mode, type Side } from '../suite/measurement.js';
import { median, show, valuesOf } from './statistics.js';

export interface Verdict {
  readonly goal: string;
  readonly workload: string;
  readonly found: string;
  /** Undefined where something that it needs was not measured. */
  readonly isMet: boolean | undefined;
}

interface Where {
  readonly workload: string;
  /** The measurement's name begins so. Empty: any. */
  readonly name: string;
  readonly client?: Client;
  /** Its settings begin so. */
  readonly settings?: string;
}

export class Findings {
  readonly #all: readonly Measurement[];

  constructor(measurements: readonly Measurement[]) {
    this.#all = measurements;
  }

  #values(where: Where, side: Side, mode: Mode | undefined, key: FigureKey): Map<string, number> {
    const own = this.#all.filter(
      (each) => each.workload === where.workload && each.name.startsWith(where.name) && each.side === side && each.mode === mode && (where.client === undefined || each.client === where.client)
        && (each.settings ?? '').startsWith(where.settings ?? ''),
    );
    const names = [...new Set(own.filter((each) => key in each.figures).map((each) => each.name))];
    return new Map(names.map((name) => [name, median(valuesOf(own.filter((each) => each.name === name), key))]));
  }

  /** The median of all turns; NaN where it was not measured. Of several cases the first. */
  one(where: Where, side: Side, mode: Mode | undefined, key: FigureKey): number {
    return [...this.#values(where, side, mode, key).values()][0] ?? NaN;
  }

  greatest(where: Where, side: Side, mode: Mode | undefined, key: FigureKey): number {
    const values = [...this.#values(where, side, mode, key).values()];
    return values.length === 0 ? NaN : Math.max(...values);
  }

  least(where: Where, side: Side, mode: Mode | undefined, key: FigureKey): number {
    const values = [...this.#values(where, side, mode, key).values()];
    return values.length === 0 ? NaN : Math.min(...values);
  }
}

type Judge = (find: Findings) => { found: string; isMet: boolean };
interface Goal {
  readonly goal: string;
  readonly workload: string;
  readonly judge: Judge;
}

/** NaN in any part makes it unknown: see `judgeGoals`. */
const atLeast = (value: number, wanted: number, unit = ''): ReturnType<Judge> => ({ found: `${show(value)}${unit}, wanted ${show(wanted)}${unit} or more`, isMet: known(value, wanted) && value >= wanted });
const atMost = (value: number, wanted: number, unit = ''): ReturnType<Judge> => ({ found: `${show(value)}${unit}, wanted ${show(wanted)}${unit} or less`, isMet: known(value, wanted) && value <= wanted });

class Unknown extends Error {}
function known(...values: readonly number[]): true {
  if (values.some((value) => Number.isNaN(value))) throw new Unknown();
  return true;
}

const big: Where = { workload: 'produce', name: 'batches', client: 'native' };
const start: Where = { workload: 'produce', name: 'from the start' };
const paced: Where = { workload: 'paced', name: 'kafka-producer-perf-test' };
const many: Where = { workload: 'b8', name: '64 connections' };
const waiting: Where = { workload: 'b8', name: '64 senders' };
const single: Where = { workload: 'b8', name: 'one connection, one in flight' };
const reading: Where = { workload: 'fetch', name: 'from the beginning', client: 'native' };
const echo: Where = { workload: 'e2e', name: 'producer to waiting consumer' };
const javaEcho: Where = { workload: 'e2e', name: 'kafka-e2e-latency' };
const partitions = (count: string): Where => ({ workload: 'b3', name: count });

export const GOALS: readonly Goal[] = [
  {
    workload: 'produce', goal: 'page cache, big batches: the smaller of 1.8x Kafka and 80 % of the limit',
    judge: (f) => atLeast(f.greatest(big, 'sluice', 'os', 'mbPerS'), Math.min(1.8 * f.greatest(big, 'kafka', 'os', 'mbPerS'), 0.8 * f.greatest(big, 'bare', 'os', 'mbPerS')), ' MB/s'),
  },
  {
    workload: 'produce', goal: 'its CPU per GB: at most the larger of 0.5x Kafka and 1.2x the limit',
    judge: (f) => atMost(f.least(big, 'sluice', 'os', 'cpuSPerGb'), Math.max(0.5 * f.least(big, 'kafka', 'os', 'cpuSPerGb'), 1.2 * f.least(big, 'bare', 'os', 'cpuSPerGb')), ' s'),
  },
  {
    workload: 'produce', goal: 'the first GB after a start as cheap as the last of the warm-up',
    judge: (f) => atMost(f.one(start, 'sluice', 'os', 'cpuSPerGbFirst'), 1.1 * f.one(start, 'sluice', 'os', 'cpuSPerGbLast'), ' s'),
  },
  { workload: 'produce', goal: 'durable, big batches: at least Kafka without syncs', judge: (f) => atLeast(f.greatest(big, 'sluice', 'fsync', 'mbPerS'), f.greatest(big, 'kafka', 'os', 'mbPerS'), ' MB/s') },
  { workload: 'produce', goal: 'durable, big batches: twice Kafka with syncs', judge: (f) => atLeast(f.greatest(big, 'sluice', 'fsync', 'mbPerS'), 2 * f.greatest(big, 'kafka', 'fsync', 'mbPerS'), ' MB/s') },
  { workload: 'b1', goal: 'durable, p99 at or below 10 ms: 200 MB/s or more', judge: (f) => atLeast(f.one({ workload: 'b1', name: 'greatest' }, 'sluice', 'fsync', 'greatestMbPerS'), 200, ' MB/s') },
  { workload: 'paced', goal: "20 MB/s, Kafka's client, durable: p99 no worse than Kafka without syncs", judge: (f) => atMost(f.one(paced, 'sluice', 'fsync', 'p99Ms'), f.one(paced, 'kafka', 'os', 'p99Ms'), ' ms') },
  { workload: 'paced', goal: 'its p99.9 likewise', judge: (f) => atMost(f.one(paced, 'sluice', 'fsync', 'p999Ms'), f.one(paced, 'kafka', 'os', 'p999Ms'), ' ms') },
  { workload: 'paced', goal: 'its p99 at most a twentieth of Kafka with syncs', judge: (f) => atMost(f.one(paced, 'sluice', 'fsync', 'p99Ms'), f.one(paced, 'kafka', 'fsync', 'p99Ms') / 20, ' ms') },
  { workload: 'paced', goal: 'its CPU at most 0.75x of Kafka without syncs', judge: (f) => atMost(f.one(paced, 'sluice', 'fsync', 'cpuSPerGb'), 0.75 * f.one(paced, 'kafka', 'os', 'cpuSPerGb'), ' s/GB') },
  { workload: 'paced', goal: 'page cache: CPU per request at most half of Kafka', judge: (f) => atMost(f.one(paced, 'sluice', 'os', 'cpuSPerMillion'), f.one(paced, 'kafka', 'os', 'cpuSPerMillion') / 2, ' us') },
  { workload: 'b8', goal: 'small requests, page cache: 5x the requests', judge: (f) => atLeast(f.one(many, 'sluice', 'os', 'requestsPerS'), 5 * f.one(many, 'kafka', 'os', 'requestsPerS'), '/s') },
  { workload: 'b8', goal: 'at an eighth of the CPU', judge: (f) => atMost(f.one(many, 'sluice', 'os', 'cpuSPerMillion'), f.one(many, 'kafka', 'os', 'cpuSPerMillion') / 8, ' us') },
  { workload: 'b8', goal: 'durable: 3x of Kafka without syncs', judge: (f) => atLeast(f.one(many, 'sluice', 'fsync', 'requestsPerS'), 3 * f.one(many, 'kafka', 'os', 'requestsPerS'), '/s') },
  { workload: 'b8', goal: 'durable: p99 at most a third of it', judge: (f) => atMost(f.one(many, 'sluice', 'fsync', 'p99Ms'), f.one(many, 'kafka', 'os', 'p99Ms') / 3, ' ms') },
  { workload: 'b8', goal: 'durable: 4x of RocketMQ with SYNC_FLUSH', judge: (f) => atLeast(f.one(waiting, 'sluice', 'fsync', 'requestsPerS'), 4 * f.one(waiting, 'rocketmq', 'fsync', 'requestsPerS'), '/s') },
  { workload: 'b8', goal: 'durable: p99 at most a third of RocketMQ', judge: (f) => atMost(f.one(waiting, 'sluice', 'fsync', 'p99Ms'), f.one(waiting, 'rocketmq', 'fsync', 'p99Ms') / 3, ' ms') },
  ...(['os', 'fsync'] as const).flatMap((mode): Goal[] => [
    { workload: 'b8', goal: `one at a time, ${mode}: 85 % of a bare ping-pong${mode === 'fsync' ? ' with a journal write' : ''}`, judge: (f) => atLeast(f.one(single, 'sluice', mode, 'requestsPerS'), 0.85 * f.one(single, 'bare', mode, 'requestsPerS'), '/s') },
    { workload: 'b8', goal: `its CPU at most 1.3x`, judge: (f) => atMost(f.one(single, 'sluice', mode, 'cpuSPerMillion'), 1.3 * f.one(single, 'bare', mode, 'cpuSPerMillion'), ' us') },
  ]),
  {
    workload: 'fetch', goal: 'cached segments: the smaller of 1.2x Kafka and 90 % of bare sendfile',
    judge: (f) => atLeast(f.one(reading, 'sluice', undefined, 'mbPerS'), Math.min(1.2 * f.one(reading, 'kafka', undefined, 'mbPerS'), 0.9 * f.one(reading, 'bare', undefined, 'mbPerS')), ' MB/s'),
  },
  {
    workload: 'fetch', goal: 'its CPU: at most the larger of 0.7x Kafka and 1.2x bare',
    judge: (f) => atMost(f.one(reading, 'sluice', undefined, 'cpuSPerGb'), Math.max(0.7 * f.one(reading, 'kafka', undefined, 'cpuSPerGb'), 1.2 * f.one(reading, 'bare', undefined, 'cpuSPerGb')), ' s/GB'),
  },
  {
    workload: 'b9', goal: '32 consumers: CPU per GB out at most 0.7x of Kafka',
    judge: (f) => atMost(f.one({ workload: 'b9', name: '32 ' }, 'sluice', 'fsync', 'cpuSPerGb'), 0.7 * f.one({ workload: 'b9', name: '32 ' }, 'kafka', 'os', 'cpuSPerGb'), ' s/GB'),
  },
  { workload: 'e2e', goal: 'durable: p50 at most 1.3x of bare ping-pong with a journal write', judge: (f) => atMost(f.one(echo, 'sluice', 'fsync', 'p50Ms'), 1.3 * f.one(echo, 'bare', 'fsync', 'p50Ms'), ' ms') },
  { workload: 'e2e', goal: 'durable: p99 at most a third of Kafka without syncs', judge: (f) => atMost(f.one(echo, 'sluice', 'fsync', 'p99Ms'), f.one(echo, 'kafka', 'os', 'p99Ms') / 3, ' ms') },
  {
    workload: 'e2e', goal: "Kafka's client, durable: p50 at most Kafka's and one journal write",
    // The tool prints whole milliseconds, so the mean decides.
    judge: (f) => atMost(f.one(javaEcho, 'sluice', 'fsync', 'meanMs'), f.one(javaEcho, 'kafka', 'os', 'meanMs') + f.one(echo, 'bare', 'fsync', 'p50Ms') - f.one(echo, 'bare', 'os', 'p50Ms'), ' ms (mean)'),
  },
  { workload: 'e2e', goal: "Kafka's client, durable: p99 at most Kafka's", judge: (f) => atMost(f.one(javaEcho, 'sluice', 'fsync', 'p99Ms'), f.one(javaEcho, 'kafka', 'os', 'p99Ms'), ' ms') },
  {
    workload: 'b2', goal: 'a cold reader: producer p99.9 at most 1.5x of without',
    judge: (f) => atMost(f.one({ workload: 'b2', name: 'beside' }, 'sluice', 'fsync', 'p999Ms'), 1.5 * f.one({ workload: 'b2', name: 'alone' }, 'sluice', 'fsync', 'p999Ms'), ' ms'),
  },
  { workload: 'b3', goal: '10,000 partitions: p99 at most 1.5x of 16', judge: (f) => atMost(f.one(partitions('10,000 partitions'), 'sluice', 'fsync', 'p99Ms'), 1.5 * f.one(partitions('16 partitions'), 'sluice', 'fsync', 'p99Ms'), ' ms') },
  { workload: 'b3', goal: '10,000 partitions: start within a second', judge: (f) => atMost(f.one(partitions('with 10,000'), 'sluice', 'fsync', 'startMs'), 1000, ' ms') },
  { workload: 'b3', goal: '10,000 partitions: first produce within two seconds of kill -9', judge: (f) => atMost(f.one(partitions('with 10,000'), 'sluice', 'fsync', 'firstAckMs'), 2000, ' ms') },
  { workload: 'b3', goal: '10,000 partitions: RSS at most 200 MB', judge: (f) => atMost(f.one(partitions('10,000 partitions'), 'sluice', 'fsync', 'rssMb'), 200, ' MB') },
  { workload: 'b3', goal: 'first writes to a new topic of 1,000 partitions: p99 at most 50 ms', judge: (f) => atMost(f.one(partitions('first writes to a new topic of 1,000'), 'sluice', 'fsync', 'p99Ms'), 50, ' ms') },
  { workload: 'b4', goal: 'kill -9 with 10 GB in 1,000 partitions: first produce within a second', judge: (f) => atMost(f.one({ workload: 'b4', name: '10.0 GB' }, 'sluice', 'fsync', 'firstAckMs'), 1000, ' ms') },
  { workload: 'b5', goal: 'start within 0.3 s', judge: (f) => atMost(f.one({ workload: 'b5', name: 'an empty' }, 'sluice', undefined, 'startMs'), 300, ' ms') },
  { workload: 'b5', goal: 'idle: RSS at most 80 MB', judge: (f) => atMost(f.one({ workload: 'b5', name: 'idle' }, 'sluice', undefined, 'rssMb'), 80, ' MB') },
  { workload: 'b5', goal: 'after 2 GB: RSS at most 150 MB', judge: (f) => atMost(f.one({ workload: 'b5', name: 'after' }, 'sluice', undefined, 'rssMb'), 150, ' MB') },
  ...(['100 B', '1 KiB'] as const).flatMap((size): Goal[] => {
    const of = (name: string): Where => ({ workload: 'b6', name, settings: size });
    const peers = ['lmdb', 'better-sqlite3', 'classic-level'] as const;
    const best = (f: Findings, name: string) => Math.max(...peers.map((peer) => f.one(of(name), peer, 'fsync', 'recordsPerS')));
    return [
      { workload: 'b6', goal: `${size}, 64 durable appends in flight: 3x lmdb`, judge: (f) => atLeast(f.one(of('64 appends'), 'sluice', 'fsync', 'recordsPerS'), 3 * f.one(of('64 appends'), 'lmdb', 'fsync', 'recordsPerS'), '/s') },
      { workload: 'b6', goal: `${size}, durable batches of 100: 3x of the best`, judge: (f) => atLeast(f.one(of('batches of 100'), 'sluice', 'fsync', 'recordsPerS'), 3 * best(f, 'batches of 100'), '/s') },
      { workload: 'b6', goal: `${size}, scans: 3x of the best`, judge: (f) => atLeast(f.one(of('scan'), 'sluice', 'fsync', 'recordsPerS'), 3 * best(f, 'scan'), '/s') },
      { workload: 'b6', goal: `${size}, one durable append at a time: 1.3x of a bare journal write with its wake-up`, judge: (f) => atMost(f.one(of('one append'), 'sluice', 'fsync', 'p50Ms'), 1.3 * f.one(of('one append'), 'bare', 'fsync', 'p50Ms'), ' ms') },
    ];
  }),
  ...([['lz4', 'npm lz4'], ['zstd', 'zstd-napi']] as const).map(([codec, peer]): Goal => {
    const batch: Where = { workload: 'b10', name: `${codec}, batches` };
    return { workload: 'b10', goal: `${codec}, a batch at a time: at least ${peer}`, judge: (f) => atLeast(f.one(batch, 'sluice', undefined, 'mbPerS'), f.one(batch, peer, undefined, 'mbPerS'), ' MB/s') };
  }),
];

export function judgeGoals(measurements: readonly Measurement[], goals: readonly Goal[] = GOALS): Verdict[] {
  const findings = new Findings(measurements);
  return goals.map(({ goal, workload, judge }) => {
    try {
      return { goal, workload, ...judge(findings) };
    } catch (error) {
      if (!(error instanceof Unknown)) throw error;
      return { goal, workload, found: 'not measured', isMet: undefined };
    }
  });
}

export function renderGoals(verdicts: readonly Verdict[]): string {
  const judged = verdicts.filter((each) => each.isMet !== undefined);
  if (judged.length === 0) return '';
  const lines = judged.map((each) => `| ${each.isMet ? 'yes' : '**no**'} | ${each.workload} | ${each.goal} | ${each.found} |`);
  return [`### Goals: ${judged.filter((each) => each.isMet).length} of ${judged.length} met`, '', '| met | | goal | found |', '|--|--|--|--|', ...lines].join('\n');
}
