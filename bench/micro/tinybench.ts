// Small things that the control plane and the embedded engine do all the time, by tinybench: the protocol's codec, packing, crossings into C++.
import { loadBinding } from '../../src/native/load.js';
import { importPackage } from '../packages/npm.js';
import { type Effort } from '../suite/effort.js';
import { type Measurement } from '../suite/measurement.js';
import { microTasks } from './task-list.js';

interface Tinybench {
  Bench: new (options: object) => {
    add(name: string, run: () => unknown): void;
    run(): Promise<readonly { name: string; result?: { throughput?: { p50: number }; latency?: { p50: number; p99: number }; error?: Error } }[]>;
  };
}

export async function runMicro(effort: Effort, add: (measurement: Measurement) => void): Promise<void> {
  const { Bench } = await importPackage<Tinybench>('tinybench');
  const bench = new Bench({ time: 500 * Math.max(0.1, effort.scale), warmupTime: 100 });
  for (const { name, run } of microTasks(loadBinding())) bench.add(name, run);
  for (const { name, result } of await bench.run()) {
    if (result?.error !== undefined) throw new Error(`${name}: ${result.error.message}`, { cause: result.error });
    add({
      workload: 'micro', name, side: 'sluice', client: 'in process', turn: 0,
      figures: { opsPerS: result?.throughput?.p50 ?? NaN, p50Ms: result?.latency?.p50 ?? NaN, p99Ms: result?.latency?.p99 ?? NaN },
    });
  }
}
