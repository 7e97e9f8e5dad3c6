// B1: rates of 1, 2, 5 ... 1000 MB/s; the greatest at which p99 stays at 10 ms or below in two of three runs.
import { type Mode } from '../../suite/measurement.js';
import { freshTopic, producePass, withTopic } from '../cases.js';
import { type LoadResult, percentilesOf } from '../load.js';
import { settleDisk } from '../page-cache.js';
import { modesOf, type Stage, type Workload } from '../stage.js';
import { type OpenTopic } from '../target.js';

const RATES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] as const;
const QUICK_RATES = [20, 200] as const;
const ALLOWED_MS = 10;
const PARTITIONS = 16;
const LINGER_MS = 5;
export const LINGERING = 'batches as a linger of 5 ms makes them';
const SETTINGS = `${LINGERING}, acks=all`;

/** A producer that lingers sends what came to a partition in that time, so faster ones send larger batches. */
export function batchRecordsAt(mbPerS: number): number {
  return Math.min(900, Math.max(1, Math.round((mbPerS * 1e6 * LINGER_MS) / 1000 / PARTITIONS / 1024)));
}

/** A producer of 1 KiB records at a rate, with a linger of 5 ms. */
export function lingering(rate: number) {
  return { recordSize: 1024, batchRecords: batchRecordsAt(rate), partitions: PARTITIONS, depth: 100, rate } as const;
}

interface Search {
  /** One run; whether p99 was low enough. */
  run(rate: number): Promise<boolean>;
}

/** Two out of at most three runs decide. `sofar` counts runs that were made already. */
async function isHeld(search: Search, rate: number, sofar: { good: number; bad: number }): Promise<boolean> {
  const { good, bad } = sofar;
  let [yes, no] = [good, bad];
  while (yes < 2 && no < 2) {
    if (await search.run(rate)) yes += 1;
    else no += 1;
  }
  return yes >= 2;
}

/** Upwards with one run a rate until two in a row do not hold; then the greatest one that did is confirmed. 0 where none holds. */
export async function greatestRate(rates: readonly number[], search: Search): Promise<number> {
  const once: number[] = [];
  const confirmed = new Set<number>();
  let failuresInARow = 0;
  for (const rate of rates) {
    if (await search.run(rate)) {
      once.push(rate);
      failuresInARow = 0;
    } else if (await isHeld(search, rate, { good: 0, bad: 1 })) {
      once.push(rate);
      confirmed.add(rate);
      failuresInARow = 0;
    } else {
      failuresInARow += 1;
      if (failuresInARow === 2) break;
    }
  }
  for (const rate of once.reverse()) {
    if (confirmed.has(rate) || (await isHeld(search, rate, { good: 1, bad: 0 }))) return rate;
  }
  return 0;
}

async function climb(stage: Stage, mode: Mode, topic: OpenTopic): Promise<void> {
  const seconds = stage.effort.seconds(10);
  const results = new Map<number, LoadResult>();
  const run = async (rate: number): Promise<boolean> => {
    stage.memory.fill();
    // The gigabytes of a rate that was too high are on their way to the disk for longer than a run lasts.
    settleDisk(stage.target.directory);
    const { result } = await producePass(topic, lingering(rate), seconds);
    results.set(rate, result);
    stage.say(`${stage.target.side} ${mode} ${rate} MB/s: p99 ${(result.p99_us / 1000).toFixed(2)} ms`);
    return result.p99_us / 1000 <= ALLOWED_MS;
  };
  await producePass(topic, lingering(100), stage.effort.warmSeconds(3));
  const greatest = await greatestRate(stage.effort.some(RATES, QUICK_RATES), { run });
  const common = { mode, client: 'native', settings: SETTINGS } as const;
  for (const [rate, result] of results) {
    stage.record({
      ...common, name: `at ${rate} MB/s`, at: rate, figures: { p99Ms: result.p99_us / 1000, p999Ms: result.p999_us / 1000 }, ...percentilesOf(result),
    });
  }
  stage.record({ ...common, name: 'greatest rate', figures: { greatestMbPerS: greatest } });
}

export const b1: Workload = {
  id: 'b1',
  title: 'B1: how fast with p99 at or below 10 ms, 1 KiB records, 16 partitions',
  seconds: 400,
  onBare: false,
  isOnce: true,
  async run(stage) {
    if (!stage.clients.has('native')) return;
    // Sluice's default is what this is about; Kafka stands beside it with and without syncs.
    const ofKafka = stage.effort.some<Mode>(['os', 'fsync'], ['os']);
    for (const mode of modesOf(stage, stage.target.side === 'kafka' ? ofKafka : ['fsync'])) {
      await withTopic(stage, { name: freshTopic('b1'), partitions: PARTITIONS, mode }, (topic) => climb(stage, mode, topic));
    }
  },
};
