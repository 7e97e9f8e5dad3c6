// Apache Kafka's DumpLogSegments over a whole data directory: every segment valid, every index sane and true to its segment.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type TargetKind } from './broker.js';
import { kafkaTool } from './java.js';

export interface DumpedBatch {
  /** The folder, topic-partition. */
  readonly partition: string;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly count: number;
  readonly baseSequence: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly partitionLeaderEpoch: number;
  readonly isControl: boolean;
  readonly position: number;
  readonly size: number;
  readonly codec: string;
  readonly isValid: boolean;
}

export interface DumpedDirectory {
  readonly batches: readonly DumpedBatch[];
  readonly segments: number;
  readonly indexes: number;
}

/** What DumpLogSegments prints, with exit code 0, when something is wrong. */
const complaints = /isvalid: false|^Mismatches in|^Found timestamp mismatch|^Found out of order timestamp|^Non-consecutive offsets|Exception/;

export function partitionFolders(dataDirectory: string): string[] {
  return readdirSync(dataDirectory)
    .filter((name) => /-\d+$/.test(name) && statSync(join(dataDirectory, name)).isDirectory())
    .sort();
}

export function filesOf(dataDirectory: string, folder: string, suffix: string): string[] {
  const directory = join(dataDirectory, folder);
  return readdirSync(directory).filter((name) => name.endsWith(suffix)).sort().map((name) => join(directory, name));
}

export async function dump(files: readonly string[], ...args: string[]): Promise<string> {
  const result = await kafkaTool('kafka-dump-log', ['--files', files.join(','), ...args], { timeoutMs: 300_000 });
  const lines = `${result.stdout}\n${result.stderr}`.split('\n');
  const wrong: string[] = [];
  lines.forEach((line, i) => {
    if (!complaints.test(line)) return;
    const details = lines[i + 1] ?? '';
    if (!isFalseAlarm(line, details)) wrong.push(line, details);
  });
  assert.deepEqual(wrong.slice(0, 10), [], `kafka-dump-log ${args.join(' ')}`);
  assert.equal(result.exitCode, 0, result.stderr.slice(-2000));
  return result.stdout;
}

/** The tool takes the first offset of a segment other than the first for one that does not follow "-1". */
function isFalseAlarm(line: string, details: string): boolean {
  const segment = /^Non-consecutive offsets in .*\/(\d{20})\.log$/.exec(line);
  return segment !== null && details.trim() === `-1 is followed by ${Number(segment[1])}`;
}

export function parseBatches(text: string): DumpedBatch[] {
  const batches: DumpedBatch[] = [];
  let partition = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('Dumping ')) partition = basename(dirname(line.slice('Dumping '.length)));
    if (!line.startsWith('baseOffset: ')) continue;
    const field = (name: string): string => new RegExp(`\\b${name}: (\\S+)`).exec(line)?.[1] ?? assert.fail(`no ${name} in: ${line}`);
    batches.push({
      partition,
      baseOffset: Number(field('baseOffset')),
      lastOffset: Number(field('lastOffset')),
      count: Number(field('count')),
      baseSequence: Number(field('baseSequence')),
      producerId: Number(field('producerId')),
      producerEpoch: Number(field('producerEpoch')),
      partitionLeaderEpoch: Number(field('partitionLeaderEpoch')),
      isControl: field('isControl') === 'true',
      position: Number(field('position')),
      size: Number(field('size')),
      codec: field('compresscodec'),
      isValid: field('isvalid') === 'true',
    });
  }
  return batches;
}

/**
 * Validates all partitions of a data directory of a broker that was stopped cleanly. Throws an AssertionError with what the
 * tool printed where anything is wrong; returns every batch it saw.
 */
export async function validateDataDirectory(dataDirectory: string, writtenBy: TargetKind): Promise<DumpedDirectory> {
  const folders = partitionFolders(dataDirectory);
  const all = (suffix: string) => folders.flatMap((folder) => filesOf(dataDirectory, folder, suffix));
  const logs = all('.log');
  // A Kafka broker leaves the indexes of its metadata log preallocated when it stops, which the check calls corrupt.
  const isTrimmed = (file: string) => writtenBy === 'sluice' || !file.includes('/__cluster_metadata-0/');
  const indexes = [...all('.index'), ...all('.timeindex')].filter(isTrimmed);
  assert.ok(logs.length > 0, `no segment under ${dataDirectory}`);
  const batches = parseBatches(await dump(logs, '--deep-iteration'));
  const filled = indexes.filter((file) => statSync(file).size > 0);
  if (filled.length > 0) {
    const sanity = await dump(filled, '--index-sanity-check');
    assert.equal(sanity.match(/passed sanity check\.$/gm)?.length, filled.length, sanity.slice(0, 2000));
    await dump(filled, '--verify-index-only');
  }
  const snapshots = all('.snapshot');
  if (snapshots.length > 0) await dump(snapshots);
  assertContiguous(batches);
  return { batches, segments: logs.length, indexes: filled.length };
}

/** Within a partition offsets go on without a hole, across segments too. */
export function assertContiguous(batches: readonly DumpedBatch[]): void {
  const nextOf = new Map<string, number>();
  for (const batch of batches) {
    const expected = nextOf.get(batch.partition);
    if (expected !== undefined) assert.equal(batch.baseOffset, expected, `a hole in ${batch.partition}`);
    assert.equal(batch.lastOffset - batch.baseOffset + 1, batch.count, `count of the batch at ${batch.baseOffset} of ${batch.partition}`);
    nextOf.set(batch.partition, batch.lastOffset + 1);
  }
}
