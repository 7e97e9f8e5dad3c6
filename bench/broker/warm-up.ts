// What every broker does before it is measured: up to ten slices of big batches, then small requests and reading. It makes Kafka's JVM compile what
// it will need; and the slices' cost tells whether the first GB after a start is as cheap as the last of them.
import { load } from './load.js';
import { type BrokerTarget } from './broker-target.js';
import { type Effort } from '../suite/effort.js';
import { type MemoryFiller } from './page-cache.js';
import { freshTopic } from './cases.js';

const SLICES = 10;
/** Where fresh memory is dear ten of them take minutes, and a JVM is warm before. */
const LEAST_SLICES = 3;
const LONG_ENOUGH_MS = 20_000;

export interface WarmUp {
  readonly sliceBytes: number;
  /** Broker CPU seconds a GB, slice by slice. */
  readonly cpuSPerGb: readonly number[];
}

export async function warmUp(broker: BrokerTarget, effort: Effort, memory: MemoryFiller): Promise<WarmUp> {
  const sliceBytes = effort.bytes(1e9);
  const cpuSPerGb: number[] = [];
  // All of it is kept: retention would take away what is about to be read.
  const topic = await broker.open({ name: freshTopic('warm-up'), partitions: 16, mode: 'os', retainBytes: 2 * SLICES * sliceBytes });
  const shape = { '--topic': topic.name, '--partitions': 16, '--record-size': 1024, '--batch-records': 60 };
  memory.fill();
  const startedAt = performance.now();
  for (let slice = 0; slice < SLICES && (slice < LEAST_SLICES || performance.now() - startedAt < LONG_ENOUGH_MS); slice += 1) {
    const before = broker.cpuSeconds();
    await load('produce', topic.port, { ...shape, '--bytes': sliceBytes });
    cpuSPerGb.push((broker.cpuSeconds() - before) / (sliceBytes / 1e9));
  }
  await load('fetch', topic.port, shape);
  await topic.close();
  for (const mode of broker.modes) {
    const small = await broker.open({ name: freshTopic('warm-up'), partitions: 16, mode });
    const one = { '--topic': small.name, '--partitions': 16, '--record-size': 100, '--batch-records': 1, '--connections': 16, '--depth': 4 };
    await load('produce', small.port, { ...one, '--seconds': effort.warmSeconds(4) });
    await small.close();
  }
  return { sliceBytes, cpuSPerGb };
}
