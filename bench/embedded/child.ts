// child.js <store | bare> <durable | os> <value bytes> <seconds> <directory>: measures one store in a process of its own, so that no store's memory or
// threads are another's. Prints one JSON line a case.
import { performance } from 'node:perf_hooks';
import { JournalWrites } from './journal-write.js';
import { type Store, type StoreName } from './store.js';
import { openStore } from './stores.js';

const [name = '', durability = '', bytes = '', seconds = '', directory = ''] = process.argv.slice(2);
const valueBytes = Number(bytes);
const measureMs = Number(seconds) * 1000;
const WARM_SHARE = 0.3;
const TOGETHER = 64;
const BATCH = 100;
const BATCHES_IN_FLIGHT = 4;
/** Values to scan and read, at least. */
const STORED = 20_000;

interface Case {
  readonly name: string;
  readonly recordsEach: number;
  readonly lanes: number;
  run(): Promise<unknown> | unknown;
}

function valueOf(seed: number): Buffer {
  const value = Buffer.alloc(valueBytes);
  let state = seed * 2654435761 + 1;
  for (let at = 0; at + 4 <= valueBytes; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    value.writeInt32LE(state, at);
  }
  return value;
}

async function spend(each: Case, milliseconds: number): Promise<{ records: number; elapsedMs: number; latencies: number[] }> {
  const latencies: number[] = [];
  let records = 0;
  const startedAt = performance.now();
  const until = startedAt + milliseconds;
  const lane = async () => {
    for (;;) {
      const before = performance.now();
      if (before >= until) return;
      const done = each.run();
      if (done instanceof Promise) await done;
      latencies.push(performance.now() - before);
      records += each.recordsEach;
    }
  };
  await Promise.all(Array.from({ length: each.lanes }, lane));
  return { records, elapsedMs: performance.now() - startedAt, latencies };
}

async function measure(each: Case): Promise<void> {
  await spend(each, measureMs * WARM_SHARE);
  const before = performance.eventLoopUtilization();
  const { records, elapsedMs, latencies } = await spend(each, measureMs);
  const { utilization } = performance.eventLoopUtilization(before);
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  console.log(JSON.stringify({ name: each.name, recordsPerS: (records * 1000) / elapsedMs, p50Ms: at(0.5), p99Ms: at(0.99), mainThreadShare: 100 * utilization }));
}

async function measureStore(store: Store): Promise<void> {
  const values = Array.from({ length: BATCH }, (_, index) => valueOf(index));
  const [first = Buffer.alloc(valueBytes)] = values;
  await measure({ name: 'one append at a time', recordsEach: 1, lanes: 1, run: () => store.append(first) });
  await measure({ name: `${TOGETHER} appends in flight`, recordsEach: TOGETHER, lanes: 1, run: () => store.appendTogether(values.slice(0, TOGETHER)) });
  await measure({ name: `batches of ${BATCH}, ${BATCHES_IN_FLIGHT} in flight`, recordsEach: BATCH, lanes: BATCHES_IN_FLIGHT, run: () => store.appendBatch(values) });
  for (let stored = 0; stored < STORED; stored += BATCH) await store.appendBatch(values);
  await store.scan();
  const startedAt = performance.now();
  let scanned = 0;
  while (performance.now() - startedAt < measureMs) scanned += (await store.scan()) / valueBytes;
  console.log(JSON.stringify({ name: 'scan', recordsPerS: (scanned * 1000) / (performance.now() - startedAt) }));
  let next = 1;
  await measure({
    name: 'point reads, one at a time', recordsEach: 1, lanes: 1,
    async run() {
      next = (next * 7919) % STORED;
      const value = await store.read(next);
      if (value?.length !== valueBytes) throw new Error(`value ${next} came back with ${value?.length} bytes`);
    },
  });
}

if (name === 'bare') {
  const journal = new JournalWrites(directory);
  await measure({ name: 'one append at a time', recordsEach: 1, lanes: 1, run: () => journal.write() });
  journal.close();
} else {
  const store = await openStore(name as StoreName, { directory, isDurable: durability === 'durable' });
  await measureStore(store);
  await store.close();
}
