// B6: a log inside a Node program, beside the stores that such programs use.
import { fileURLToPath } from 'node:url';
import { run } from '../../test/support/process.js';
import { makeTempDirectory, removeDirectory } from '../../test/support/temp.js';
import { orderOf } from '../broker/rounds.js';
import { settleDisk } from '../broker/page-cache.js';
import { type InProcessWorkload } from '../packages/npm.js';
import { type Effort } from '../suite/effort.js';
import { type Measurement } from '../suite/measurement.js';
import { STORES, type StoreName } from './store.js';

const program = fileURLToPath(new URL('child.js', import.meta.url));
const SIZES = [100, 1024] as const;

async function runChild(store: StoreName | 'bare', durability: 'durable' | 'os', bytes: number, seconds: number): Promise<Record<string, number | string>[]> {
  const directory = makeTempDirectory('embedded');
  try {
    const result = await run(process.execPath, [program, store, durability, String(bytes), String(seconds), directory], { timeoutMs: 300_000 });
    if (result.exitCode !== 0) throw new Error(`${store} (${durability}, ${bytes} B):\n${result.stderr}`);
    return result.stdout.trim().split('\n').map((line) => JSON.parse(line) as Record<string, number | string>);
  } finally {
    removeDirectory(directory);
  }
}

const packages = STORES.filter((store) => store !== 'sluice');

async function runEmbedded(effort: Effort, add: (measurement: Measurement) => void): Promise<void> {
  const seconds = Math.max(0.2, 0.8 * effort.scale);
  const sides: readonly (StoreName | 'bare')[] = ['bare', ...STORES];
  const settle = makeTempDirectory('settle');
  try {
    for (const { side, turn } of orderOf(sides, effort.isQuick)) {
      for (const durability of ['durable', 'os'] as const) {
        // What is not synced varies little, and no goal is about it.
        if (durability === 'os' && (side === 'bare' || turn > 0)) continue;
        for (const bytes of durability === 'os' ? [1024] : effort.some(SIZES, [1024])) {
          settleDisk(settle);
          for (const { name, ...figures } of await runChild(side, durability, bytes, seconds)) {
            add({
              workload: 'b6', name: String(name), settings: bytes === 100 ? '100 B values' : '1 KiB values', side, turn,
              mode: durability === 'durable' ? 'fsync' : 'os', client: 'in process',
              figures: figures as Record<string, number>,
            });
          }
        }
      }
    }
  } finally {
    removeDirectory(settle);
  }
}

export const embedded: InProcessWorkload = { id: 'b6', title: 'B6: a log inside a Node program', seconds: 240, packages, run: runEmbedded };
