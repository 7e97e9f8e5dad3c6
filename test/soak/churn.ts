// `npm run soak -- churn --minutes 60 --seed N`: topics, groups and connections come and go, segments roll, retention and compaction run; in the end the broker
// must hold what it held before: the same descriptors, threads, maps and timers, and its memory within a tenth.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BrokerProcess, startBroker } from '../support/broker.js';
import { CHURN_PROPERTIES, ChurnLoad } from '../support/churn-load.js';
import { type Footprint, added, isOwnSegment, isSegment, ofTheDeleted, readFootprint, settled } from '../support/footprint.js';
import { repositoryRoot } from '../support/paths.js';
import { assertNoDamage } from '../support/verify.js';
import { type SoakOptions } from './options.js';

const MIB = 1 << 20;
const MINUTE_MS = 60_000;
const MEMORY_FACTOR = 1.1;
/** Of memory: V8 maps its heap page by page, and neighbours are one map. Those of files have to be the same. */
const MAPS_MORE = 64;
/** A segment gives its descriptor back a minute after it was last written to, and that once a checkpoint has synced it. */
const LONG = { warmUpMs: 3 * MINUTE_MS, warmUpTopics: 4000, steadyMs: 20_000, limitMs: 5 * MINUTE_MS, idleMs: 30_000 } as const;
const DELETED_LIMIT_MS = MINUTE_MS;
const COLLECTOR = pathToFileURL(join(repositoryRoot, 'dist', 'test', 'support', 'collect-on-signal.js')).href;

export async function soakChurn({ seed, minutes }: Pick<SoakOptions, 'seed' | 'minutes'>): Promise<void> {
  console.log(`churn: ${minutes} minutes, --seed ${seed}`);
  await churn({ seed, churnMs: minutes * MINUTE_MS, ...LONG, isLong: true });
}

export interface ChurnOptions {
  readonly seed: number;
  /** Until both are reached: memory is compared with what it is then, and a busy machine does little in a given time. */
  readonly warmUpMs: number;
  readonly warmUpTopics: number;
  readonly churnMs: number;
  /** How long nothing has to become less before it is read, and how long that is waited for. */
  readonly steadyMs: number;
  readonly limitMs: number;
  /** After that the broker closes connections that do nothing; no client may be held up for so long, however busy the machine is. */
  readonly idleMs: number;
  /** Memory counts too, and the descriptors of the broker's own logs, which it gives back when they have not been written to for minutes. */
  readonly isLong: boolean;
}

export async function churn({ seed, warmUpMs, warmUpTopics, churnMs, steadyMs, limitMs, idleMs, isLong }: ChurnOptions): Promise<void> {
  const broker = await startBroker({ kind: 'sluice', properties: { ...CHURN_PROPERTIES, 'connections.max.idle.ms': String(idleMs) }, env: { NODE_OPTIONS: `--import ${COLLECTOR}` } });
  const load = new ChurnLoad(broker.port, seed);
  const startedAt = performance.now();
  const look = () => readFootprint(broker.pid, broker.dataDirectory);
  const lookAfresh = () => {
    broker.process.signal('SIGUSR2');
    return look();
  };
  const say = (what: string, seen: Footprint) => console.log(line(`${((performance.now() - startedAt) / MINUTE_MS).toFixed(1)} min`, what, seen, load));
  const reporter = setInterval(() => {
    if (!broker.process.hasExited) say('', look());
  }, MINUTE_MS);
  const cleared = async (work: () => Promise<void>) => {
    await load.whileWriting(async () => {
      await work();
      await load.clear();
      await deletedAreGone(look);
    });
    failOnErrors(broker);
  };
  try {
    await cleared(() => load.warmUp(warmUpMs, warmUpTopics));
    const isIdle = ({ descriptors }: Footprint) => !descriptors.some((name) => isSegment(name) && (isLong || !isOwnSegment(name)));
    const first = await settled(lookAfresh, { isQuiet: isIdle, steadyMs, limitMs });
    say('before', first);
    await cleared(() => load.churn(churnMs));
    const problems = (seen: Footprint) => notReturned(first, seen, isLong);
    const last = await settled(lookAfresh, { isQuiet: (seen) => isIdle(seen) && problems(seen).length === 0, steadyMs, limitMs });
    say('after', last);
    const left = problems(last);
    if (left.length > 0) throw new Error(`what did not come back (--seed ${seed}):\n  ${left.join('\n  ')}`);
    await broker.stop();
    failOnErrors(broker);
    await assertNoDamage(broker.dataDirectory, { clean: true });
    const { topics, segments, records, groups, connections } = load.counts;
    console.log(`  ${topics} topics, ${segments} segments, ${records} records, ${groups} groups, ${connections} connections: everything came back`);
  } catch (error) {
    console.log(broker.output.split('\n').slice(-30).join('\n'));
    throw error;
  } finally {
    clearInterval(reporter);
    await broker.dispose();
  }
}

/** Whoever writes meanwhile must not keep it from being given back. */
async function deletedAreGone(look: () => Footprint): Promise<void> {
  const seen = await settled(look, { isQuiet: (footprint) => ofTheDeleted(footprint).length === 0, steadyMs: 0, limitMs: DELETED_LIMIT_MS });
  const open = ofTheDeleted(seen);
  if (open.length > 0) throw new Error(`${DELETED_LIMIT_MS} ms after everything was deleted, files of it are open:\n  ${added([], open).join('\n  ')}`);
}

function notReturned(first: Footprint, last: Footprint, isLong: boolean): string[] {
  const counted = (names: readonly string[]) => (isLong ? names : names.filter((name) => !isOwnSegment(name)));
  const problems = [
    ...added(counted(first.descriptors), counted(last.descriptors)).map((name) => `descriptors: ${name}`),
    ...added(first.threads, last.threads).map((name) => `threads: ${name}`),
    ...added(first.fileMaps, last.fileMaps).map((name) => `maps: ${name}`),
  ];
  if (last.timers > first.timers) problems.push(`timers: ${last.timers}, not ${first.timers}`);
  if (!isLong) return problems;
  if (last.maps > first.maps + MAPS_MORE) problems.push(`maps: ${last.maps}, not ${first.maps}`);
  if (last.rssBytes > first.rssBytes * MEMORY_FACTOR) problems.push(`memory: ${mib(last.rssBytes)} MiB, not ${mib(first.rssBytes)}`);
  return problems;
}

function failOnErrors(broker: BrokerProcess): void {
  const errors = broker.output.split('\n').filter((text) => / ERROR /.test(text));
  if (errors.length > 0) throw new Error(`the broker says:\n  ${errors.slice(0, 10).join('\n  ')}`);
}

const mib = (bytes: number): string => (bytes / MIB).toFixed(1);

function line(time: string, what: string, { rssBytes, descriptors, maps, threads, timers }: Footprint, { counts }: ChurnLoad): string {
  const { topics, partitions, segments, records, retained, compacted, deletedRecords, groups, generations, vanished, connections } = counts;
  return [
    `  ${time.padStart(8)} ${what.padEnd(6)}`, `RSS ${mib(rssBytes)} MiB`, `fds ${descriptors.length}`, `maps ${maps}`, `threads ${threads.length}`, `timers ${timers}`,
    `topics ${topics} (${partitions})`, `segments ${segments}`, `records ${records}`, `retained ${retained}`, `compacted ${compacted}`, `cut ${deletedRecords}`,
    `groups ${groups} (${generations}, ${vanished} vanished)`, `connections ${connections}`,
  ].join('  ');
}
