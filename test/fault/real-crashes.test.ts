// A few rounds of what `npm run crash`, `npm run soak -- snapshots` and `npm run soak -- powercuts` do for long: kill -9 under producers and groups, and what a
// power cut leaves of a real file system under load.
import { type TestContext, test } from 'node:test';
import { crashRounds } from '../soak/crash.js';
import { snapshotRounds } from '../soak/snapshots.js';
import { CachingDisk } from '../support/caching-disk.js';
import { seededRandom } from '../support/crash-check.js';
import { mountedOrSkipped } from '../support/mounts.js';
import { Random, testSeed } from '../support/random.js';
import { ReflinkDisk } from '../support/reflink-disk.js';
import { type SnapshotDisk } from '../support/snapshot-disk.js';

const TEST_TIMEOUT_MS = 300_000;

for (const durability of ['fsync', 'os']) {
  test(`kill -9 under producers and groups, some of it while the broker starts (${durability})`, { timeout: TEST_TIMEOUT_MS }, () =>
    crashRounds({ durability, rounds: 10 }, seededRandom('crash')));
}

async function threeRounds(context: TestContext, mount: () => SnapshotDisk): Promise<void> {
  const disk = mountedOrSkipped(context, mount);
  if (disk === undefined) return;
  try {
    await snapshotRounds(disk, 3, seededRandom('snapshots'));
  } finally {
    disk.dispose();
  }
}

test('a copy of the disk at any moment has what was acknowledged before (ext4)', { timeout: TEST_TIMEOUT_MS }, (context) => threeRounds(context, () => new ReflinkDisk('ext4')));

test('a disk that loses what was not flushed has what was acknowledged before (ext4)', { timeout: TEST_TIMEOUT_MS }, (context) => {
  const seed = testSeed();
  context.diagnostic(`SLUICE_TEST_SEED=${seed}`);
  return threeRounds(context, () => new CachingDisk('ext4', new Random(seed), 2));
});
