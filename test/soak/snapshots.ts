// `npm run soak -- snapshots --rounds 100`: a real file system under load is copied at random moments by one call (FICLONE), the copy is mounted as after a
// power cut, checked, and a broker started on it: everything that was acknowledged before is there. ext4 and XFS, or --kind ext4. Needs root.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { randomFrom } from '../support/crash-check.js';
import { startBroker } from '../support/broker.js';
import { CrashLoad, assertPromised } from '../support/crash-load.js';
import { ReflinkDisk } from '../support/reflink-disk.js';
import { type DiskKind } from '../support/small-disk.js';
import { assertNoDamage } from '../support/verify.js';
import { type SoakOptions } from './options.js';

const REPORT_EVERY = 10;
const PROPERTIES = { 'log.segment.bytes': String(1 << 20), 'offsets.topic.num.partitions': '2', 'group.initial.rebalance.delay.ms': '0' } as const;

export async function soakSnapshots({ seed, rounds, kind }: Pick<SoakOptions, 'seed' | 'rounds' | 'kind'>): Promise<void> {
  for (const each of kind === undefined ? (['ext4', 'xfs'] as const) : [kind as DiskKind]) {
    console.log(`snapshots: ${rounds} of ${each}, --seed ${seed}`);
    const disk = ReflinkDisk.mount(each);
    try {
      await snapshotRounds(disk, rounds, randomFrom(seed));
    } finally {
      disk.dispose();
    }
  }
}

export async function snapshotRounds(disk: ReflinkDisk, rounds: number, random: () => number): Promise<void> {
  const startedAt = performance.now();
  const broker = await startBroker({ kind: 'sluice', dataDirectory: join(disk.path, 'data'), properties: PROPERTIES });
  const load = await CrashLoad.start(broker.port, { producers: 3, hasReaders: false });
  const verified = new Map<string, number>();
  try {
    for (let round = 1; round <= rounds; round += 1) {
      await load.reached(load.acknowledged + 1 + Math.floor(random() * 5000));
      await delay(random() * 50);
      const promised = load.promised();
      await disk.snapshot(async (path) => {
        // Or the load would grow by what comes during each check, and each check by that.
        broker.process.signal('SIGSTOP');
        const dataDirectory = join(path, 'data');
        await assertNoDamage(dataDirectory, { clean: false });
        const copy = await startBroker({ kind: 'sluice', dataDirectory, properties: PROPERTIES });
        try {
          await assertPromised(copy.port, promised, round % REPORT_EVERY === 0 ? new Map() : verified);
        } catch (error) {
          console.log(copy.output);
          throw error;
        } finally {
          await copy.dispose();
          broker.process.signal('SIGCONT');
        }
      });
      if (round % REPORT_EVERY === 0) console.log(`  ${round} snapshots, ${load.acknowledged} records, ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
    }
    const records = await load.finish();
    await broker.stop();
    await assertNoDamage(broker.dataDirectory, { clean: true });
    console.log(`  ${rounds} snapshots in ${((performance.now() - startedAt) / 1000).toFixed(0)} s, ${records} records: what was acknowledged before each is there, once, in order`);
  } finally {
    await load.abandon();
    await broker.dispose();
  }
}
