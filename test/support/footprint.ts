// What a process holds, as the kernel sees it: memory, descriptors, maps, threads and timers, each by a name without what differs from time to time.
import { existsSync, readFileSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export interface Footprint {
  readonly rssBytes: number;
  readonly descriptors: readonly string[];
  readonly threads: readonly string[];
  /** Those of files; the rest are memory. */
  readonly fileMaps: readonly string[];
  readonly maps: number;
  /** Of POSIX; a timerfd is a descriptor, and those of JavaScript cannot be seen from here. */
  readonly timers: number;
}

const DELETED = / \(deleted\)$/;
/** Names in the directory of a topic that was deleted, whose folder may not be gone yet, and files that are. */
const OF_THE_DELETED = /-delete\/|\.deleted$| \(deleted\)$/;

/** Of io_uring: the kernel makes as many as it sees fit, and ends them likewise. */
const IO_WORKER = /^iou-/;

/** Names of files in `directory` are given from there on, and a number in any name as '#'. */
export function readFootprint(pid: number, directory: string): Footprint {
  const prefix = `${realpathSync(directory)}/`;
  const proc = `/proc/${pid}`;
  const named = (path: string): string => (path.startsWith(prefix) ? path.slice(prefix.length) : path).replace(/[0-9a-f]{32}-delete/, '#-delete').replace(/\d+/g, '#');
  const each = (folder: string, look: (path: string) => string): string[] =>
    readdirSync(`${proc}/${folder}`).flatMap((name) => {
      try {
        return [look(`${proc}/${folder}/${name}`)];
      } catch {
        return []; // gone since it was listed
      }
    });
  const maps = lines(readFileSync(`${proc}/maps`, 'utf8'));
  return {
    rssBytes: Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`${proc}/status`, 'utf8'))?.[1]) * 1024,
    descriptors: each('fd', (path) => named(readlinkSync(path))),
    threads: each('task', (path) => named(readFileSync(`${path}/comm`, 'utf8').trim())).filter((name) => !IO_WORKER.test(name)),
    fileMaps: maps.flatMap((line) => /\s(\/.*)$/.exec(line)?.[1] ?? []).map(named),
    maps: maps.length,
    timers: existsSync(`${proc}/timers`) ? lines(readFileSync(`${proc}/timers`, 'utf8')).filter((line) => line.startsWith('ID:')).length : 0,
  };
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** Descriptors of what is to be gone. */
export function ofTheDeleted({ descriptors }: Footprint): string[] {
  return descriptors.filter((name) => OF_THE_DELETED.test(name));
}

/** Whether a descriptor belongs to a segment of a log. */
export const isSegment = (name: string): boolean => /\/#\.(log|index|timeindex|txnindex)/.test(name);

/** A segment of the broker's own logs: open while it is written to, and for a while afterwards. */
export const isOwnSegment = (name: string): boolean => name.startsWith('__') && isSegment(name) && !DELETED.test(name);

/** What the second has more of, as "3 x name". */
export function added(before: readonly string[], after: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const name of after) counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const name of before) counts.set(name, (counts.get(name) ?? 0) - 1);
  return [...counts].filter(([, count]) => count > 0).map(([name, count]) => `${count} x ${name}`);
}

export interface SettleOptions {
  readonly isQuiet: (footprint: Footprint) => boolean;
  /** For so long nothing has to become less. */
  readonly steadyMs: number;
  readonly limitMs: number;
}

const LOOK_EVERY_MS = 500;
/** Less than this is no fall. */
const NOTICEABLE = 0.002;

/** Waits until it is quiet and its memory no longer falls, or until the time is over. The memory is the least that was seen. */
export async function settled(look: () => Footprint, { isQuiet, steadyMs, limitMs }: SettleOptions): Promise<Footprint> {
  const deadline = performance.now() + limitMs;
  let least = Infinity;
  let steadySince = Infinity;
  for (;;) {
    const seen = look();
    const now = performance.now();
    if (!isQuiet(seen)) steadySince = Infinity;
    else if (steadySince === Infinity || seen.rssBytes < least * (1 - NOTICEABLE)) steadySince = now;
    least = Math.min(least, seen.rssBytes);
    if (now - steadySince >= steadyMs || now > deadline) return { ...seen, rssBytes: least };
    await delay(LOOK_EVERY_MS);
  }
}
