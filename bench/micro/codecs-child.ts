// codecs-child.js <side> <codec> <records each> <seconds> <directory>: compresses the same records again and again, in the addon as an append to a log in
// mode os (built, compressed and written on other threads), or with a package as its users call it. Prints one JSON line.
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { gzipSync } from 'node:zlib';
import { type Compression, openLog } from '../../src/storage/index.js';
import { importPackage } from '../packages/npm.js';

const [side = '', codec = '', recordsEach = '', seconds = '', directory = ''] = process.argv.slice(2);
const measureMs = Number(seconds) * 1000;
const WARM_SHARE = 0.3;
const LANES = 4;
const RECORD = 200;

/** Records as programs have them: JSON with names that repeat and values that do not. */
function recordsOf(count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => {
    const text = JSON.stringify({
      id: index * 7919, user: `user-${(index * 31) % 1000}`, action: ['view', 'click', 'buy', 'leave'][index % 4], at: 1_700_000_000_000 + index * 137,
      session: ((index * 2654435761) >>> 0).toString(16).padStart(8, '0'), path: `/products/${(index * 13) % 500}/details`, price: (index * 37) % 10_000,
    });
    return Buffer.from(text.padEnd(RECORD, ' ').slice(0, RECORD));
  });
}

const records = recordsOf(Number(recordsEach));
const plain = Buffer.concat(records);

interface Work {
  /** Compresses `records` once. */
  once(): Promise<unknown> | unknown;
  /** Plain bytes by compressed ones. */
  ratio(): Promise<number> | number;
  close(): Promise<void> | void;
}

async function ours(): Promise<Work> {
  const log = await openLog({ dir: directory, durability: 'os', compression: codec as Compression, retentionBytes: 256 << 20, segmentBytes: 64 << 20 });
  const inputs = records.map((value) => ({ key: null, value }));
  return {
    once: () => log.append(inputs).committed,
    async ratio() {
      const { batches, bytes } = await log.verify();
      return (batches * plain.length) / bytes;
    },
    close: () => log.close(),
  };
}

function packaged(compress: (data: Buffer) => Buffer): Work {
  // A batch is put together as a client does it: one buffer, then the codec. There is no second thread to wait for.
  return { once: () => compress(Buffer.concat(records)), ratio: () => plain.length / compress(plain).length, close: () => {} };
}

async function theirs(): Promise<Work> {
  if (side === 'npm lz4') {
    const { encode } = await importPackage<{ encode(data: Buffer): Buffer }>('lz4');
    return packaged(encode);
  }
  if (side === 'zstd-napi') {
    const { compress } = await importPackage<{ compress(data: Buffer): Buffer }>('zstd-napi');
    return packaged(compress);
  }
  return packaged((data) => gzipSync(data));
}

const work = side === 'sluice' ? await ours() : await theirs();

async function spend(milliseconds: number): Promise<{ rounds: number; elapsedMs: number }> {
  const startedAt = performance.now();
  const until = startedAt + milliseconds;
  let rounds = 0;
  const lane = async () => {
    while (performance.now() < until) {
      await work.once();
      // What else the program has to do gets its turn after each.
      await new Promise((resolve) => setImmediate(resolve));
      rounds += 1;
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return { rounds, elapsedMs: performance.now() - startedAt };
}

await spend(measureMs * WARM_SHARE);
const delays = monitorEventLoopDelay({ resolution: 1 });
delays.enable();
const before = performance.eventLoopUtilization();
const cpuBefore = process.cpuUsage();
const { rounds, elapsedMs } = await spend(measureMs);
const { utilization } = performance.eventLoopUtilization(before);
const cpu = process.cpuUsage(cpuBefore);
delays.disable();
const bytes = rounds * plain.length;
console.log(
  JSON.stringify({
    mbPerS: bytes / elapsedMs / 1000,
    ratio: await work.ratio(),
    // The timer itself fires once a millisecond.
    loopDelayMs: Math.max(0, delays.percentile(99) / 1e6 - 1),
    mainThreadShare: 100 * utilization,
    processCpuSPerGb: (cpu.user + cpu.system) / 1e6 / (bytes / 1e9),
  }),
);
await work.close();
