// `verify DIRECTORY`: the findings as lines for people, or as JSON.
import { resolve } from 'node:path';
import { type Damage, type VerifyReport } from '../native/binding.js';
import { loadBinding } from '../native/load.js';
import { printable } from '../util/logger.js';

/** Nothing is known of the directory: it is in use, or none. */
export class NotVerified extends Error {}

const MIB = 2 ** 20;

/** The exit code: 1 when something is damaged. */
export async function verify(
  { directory, topic, isJson }: { directory: string; topic: string | undefined; isJson: boolean }, write: (text: string) => Promise<void>,
): Promise<number> {
  const startedAt = performance.now();
  const path = resolve(directory);
  let report: VerifyReport;
  try {
    report = await loadBinding().verifyDirectory(path, topic ?? '');
  } catch (error) {
    throw new NotVerified(error instanceof Error ? error.message : String(error), { cause: error });
  }
  const seconds = (performance.now() - startedAt) / 1000;
  await write(isJson ? `${JSON.stringify({ directory: path, ...report, seconds })}\n` : text(report, seconds));
  return report.damaged === 0 ? 0 : 1;
}

function text(report: VerifyReport, seconds: number): string {
  const lines = [...report.notes.map((note) => `note: ${printable(note)}`), ...report.damages.map(damageLine)];
  if (report.damages.length < report.damaged) lines.push(`... and ${report.damaged - report.damages.length} more`);
  lines.push(summary(report, seconds));
  return `${lines.join('\n')}\n`;
}

function damageLine({ file, partition, position, what }: Damage): string {
  return printable(`damaged: ${file} at ${position}${partition === null ? '' : ` (${partition})`}: ${what}`);
}

function summary(report: VerifyReport, seconds: number): string {
  const count = (n: number, one: string, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;
  const mib = report.bytes / MIB;
  return [
    report.damaged === 0 ? 'no damage' : count(report.damaged, 'damage found', 'damages found'),
    report.clean ? 'stopped cleanly' : 'not stopped cleanly',
    count(report.partitions, 'partition'), count(report.segments, 'segment'), count(report.batches, 'batch', 'batches'), count(report.indexEntries, 'index entry', 'index entries'),
    ...(report.journalFrames > 0 ? [count(report.journalFrames, 'journal frame')] : []),
    `${mib.toFixed(1)} MiB in ${seconds.toFixed(2)} s (${(mib / Math.max(seconds, 1e-6)).toFixed(0)} MiB/s)`,
  ].join(', ');
}
