// `npm run soak -- snapshots --rounds 100`, `npm run soak -- powercuts --rounds 100`: a real file system under load, as a power cut at random moments leaves it,
// is mounted and checked, and a broker started on it: everything that was acknowledged before is there. ext4 and XFS, or --kind ext4. Needs root.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CachingDisk } from '../support/caching-disk.js';
import { randomFrom } from '../support/crash-check.js';
import { startBroker } from '../support/broker.js';
import { CrashLoad, type Promised, type Verified, assertPromised } from '../support/crash-load.js';
import { type DiskKind } from '../support/disk-image.js';
import { Random } from '../support/random.js';
import { ReflinkDisk } from '../support/reflink-disk.js';
import { type SnapshotDisk } from '../support/snapshot-disk.js';
import { assertNoDamage } from '../support/verify.js';
import { type SoakOptions } from './options.js';

const REPORT_EVERY = 10;
const CUTS_PER_ROUND = 3;
/** A journal so small that checkpoints come often. */
const PROPERTIES = {
  'log.segment.bytes': String(1 << 20), 'sluice.journal.bytes': String(16 << 20), 'offsets.topic.num.partitions': '2', 'group.initial.rebalance.delay.ms': '0',
} as const;

/** A disk that keeps all that it has confirmed, flushed or not: one call copies it. */
export function soakSnapshots(options: SoakOptions): Promise<void> {
  return onEachKind(options, (kind) => new ReflinkDisk(kind));
}

/** A disk that keeps what was flushed, and of the rest what it likes. */
export function soakPowerCuts(options: SoakOptions): Promise<void> {
  return onEachKind(options, (kind) => new CachingDisk(kind, new Random(options.seed), CUTS_PER_ROUND));
}

async function onEachKind({ seed, rounds, kind }: SoakOptions, mount: (kind: DiskKind) => SnapshotDisk): Promise<void> {
  for (const each of kind === undefined ? (['ext4', 'xfs'] as const) : [kind as DiskKind]) {
    console.log(`${rounds} rounds on ${each}, --seed ${seed}`);
    const disk = mount(each);
    try {
      await snapshotRounds(disk, rounds, randomFrom(seed));
    } finally {
      disk.dispose();
    }
  }
}

export async function snapshotRounds(disk: SnapshotDisk, rounds: number, random: () => number): Promise<void> {
  const startedAt = performance.now();
  const broker = await startBroker({ kind: 'sluice', dataDirectory: join(disk.path, 'data'), properties: PROPERTIES });
  const load = await CrashLoad.start(broker.port, { producers: 3, hasReaders: false });
  let verified = new Map<string, number>();
  try {
    for (let round = 1; round <= rounds; round += 1) {
      await load.reached(load.acknowledged + 1 + Math.floor(random() * 5000));
      await delay(random() * 50);
      const promised = load.promised();
      const isWhole = round % REPORT_EVERY === 0;
      let verifiedNow = verified;
      await disk.snapshot(async (path) => {
        // Or the load would grow by what comes during each check, and each check by that.
        broker.process.signal('SIGSTOP');
        verifiedNow = isWhole ? new Map() : new Map(verified);
        try {
          await checkCopy(join(path, 'data'), promised, verifiedNow);
        } finally {
          broker.process.signal('SIGCONT');
        }
      });
      verified = verifiedNow;
      if (isWhole) console.log(`  ${round} rounds, ${load.acknowledged} records, ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
    }
    const records = await load.finish();
    await broker.stop();
    await assertNoDamage(broker.dataDirectory, { clean: true });
    const figures = Object.entries(disk.figures).map(([name, count]) => `${count} ${name}`).join(', ');
    console.log(`  ${figures} in ${((performance.now() - startedAt) / 1000).toFixed(0)} s, ${records} records: what was acknowledged before each is there, once, in order`);
  } finally {
    await load.abandon();
    await broker.dispose();
  }
}

async function checkCopy(dataDirectory: string, promised: Promised, verified: Verified): Promise<void> {
  await assertNoDamage(dataDirectory, { clean: false });
  const copy = await startBroker({ kind: 'sluice', dataDirectory, properties: PROPERTIES });
  try {
    await assertPromised(copy.port, promised, verified);
  } catch (error) {
    console.log(copy.output);
    throw error;
  } finally {
    await copy.dispose();
  }
}
