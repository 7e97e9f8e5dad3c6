// The results of a run: one JSON line for the run itself, then one for each measurement.
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { KAFKA_VERSION, repositoryRoot } from '../../test/support/paths.js';
import { UsageError } from '../options.js';
import { type Measurement } from './measurement.js';

export interface Run {
  readonly date: string;
  readonly commit: string;
  readonly kernel: string;
  readonly cpus: readonly string[];
  readonly memoryGb: number;
  readonly node: string;
  readonly kafka: string;
  readonly scale: number;
  readonly command: string;
}

export function describeRun(argv: readonly string[], scale: number): Run {
  const git = (...args: string[]) => {
    try {
      return execFileSync('git', ['-C', repositoryRoot, ...args], { stdio: ['ignore', 'pipe', 'ignore'] }).toString().trim();
    } catch {
      return '';
    }
  };
  const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ' and changes';
  return {
    date: new Date().toISOString(),
    commit: (git('rev-parse', '--short', 'HEAD') || 'unknown') + changed,
    kernel: release(),
    cpus: cpus().map((each) => each.model),
    memoryGb: Math.round(totalmem() / 1e9),
    node: process.version,
    kafka: KAFKA_VERSION,
    scale,
    command: `npm run bench -- ${argv.join(' ')}`.trim(),
  };
}

export class Results {
  readonly measurements: Measurement[] = [];
  readonly #file: string;

  /** Throws UsageError where another run has left its results. */
  constructor(directory: string, run: Run) {
    this.#file = join(directory, 'results.jsonl');
    if (existsSync(this.#file)) throw new UsageError(`${directory} has the results of another run: choose another directory for --out, or draw that run again with --report`);
    mkdirSync(directory, { recursive: true });
    appendFileSync(this.#file, `${JSON.stringify({ run })}\n`);
  }

  add(measurement: Measurement): void {
    this.measurements.push(measurement);
    appendFileSync(this.#file, `${JSON.stringify(measurement)}\n`);
  }
}

export function readResults(directory: string): { run: Run; measurements: Measurement[] } {
  const lines = readFileSync(join(directory, 'results.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Measurement | { run: Run });
  const run = lines.flatMap((line) => ('run' in line ? [line.run] : []))[0];
  if (run === undefined) throw new Error(`${directory}/results.jsonl does not begin with its run`);
  return { run, measurements: lines.flatMap((line) => ('run' in line ? [] : [line])) };
}
