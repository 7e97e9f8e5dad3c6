// B10: codecs beside the npm packages that programs compress with, and small things of our own.
import { fileURLToPath } from 'node:url';
import { run } from '../../test/support/process.js';
import { makeTempDirectory, removeDirectory } from '../../test/support/temp.js';
import { orderOf } from '../broker/rounds.js';
import { type InProcessWorkload } from '../packages/npm.js';
import { type Effort } from '../suite/effort.js';
import { type Measurement, type Side } from '../suite/measurement.js';
import { runMicro } from './tinybench.js';

export const MICRO_TITLE = 'Small things of the control plane (tinybench)';

const program = fileURLToPath(new URL('codecs-child.js', import.meta.url));
const CODECS: readonly { codec: string; peer: Side }[] = [{ codec: 'lz4', peer: 'npm lz4' }, { codec: 'zstd', peer: 'zstd-napi' }, { codec: 'gzip', peer: 'zlib' }];
const BATCHES = [1, 500] as const;
const FIGURES = ['mbPerS', 'ratio', 'loopDelayMs', 'mainThreadShare', 'processCpuSPerGb'] as const;

async function compress(side: Side, codec: string, recordsEach: number, seconds: number): Promise<Record<string, number>> {
  const directory = makeTempDirectory('codecs');
  try {
    const result = await run(process.execPath, [program, side, codec, String(recordsEach), String(seconds), directory], { timeoutMs: 120_000 });
    if (result.exitCode !== 0) throw new Error(`${side} ${codec}:\n${result.stderr}`);
    const printed = JSON.parse(result.stdout) as Record<string, number>;
    return Object.fromEntries(FIGURES.map((key) => [key, printed[key] ?? NaN]));
  } finally {
    removeDirectory(directory);
  }
}

const packages = ['lz4', 'zstd-napi', 'tinybench'] as const;

async function runCodecs(effort: Effort, add: (measurement: Measurement) => void): Promise<void> {
  const seconds = Math.max(0.3, 2 * effort.scale);
  for (const { codec, peer } of effort.some(CODECS, CODECS.slice(0, 2))) {
    for (const { side, turn } of orderOf<Side>(['sluice', peer], effort.isQuick)) {
      // The goals are about batches.
      for (const recordsEach of turn === 0 ? BATCHES : BATCHES.slice(1)) {
        const name = recordsEach === 1 ? `${codec}, record by record` : `${codec}, batches of ${recordsEach}`;
        const settings = 'Sluice: built, compressed and written to a log, off the main thread';
        add({ workload: 'b10', name, settings, side, client: 'in process', turn, figures: await compress(side, codec, recordsEach, seconds) });
      }
    }
  }
  await runMicro(effort, add);
}

export const codecs: InProcessWorkload = { id: 'b10', title: 'B10: compression inside a Node program, records of 200 B', seconds: 90, packages, run: runCodecs };
