// A few rounds of what `npm run crash` and `npm run soak -- snapshots` do for long: kill -9 under producers and groups, and copies of a real file system under load.
import { test } from 'node:test';
import { crashRounds } from '../soak/crash.js';
import { snapshotRounds } from '../soak/snapshots.js';
import { seededRandom } from '../support/crash-check.js';
import { ReflinkDisk } from '../support/reflink-disk.js';
import { NoSmallDisk } from '../support/small-disk.js';

const TEST_TIMEOUT_MS = 300_000;

test('kill -9 under producers and groups, some of it while the broker starts', { timeout: TEST_TIMEOUT_MS }, () =>
  crashRounds({ durability: 'fsync', rounds: 5, hasReaders: false }, seededRandom('crash')));

test('a copy of the disk at any moment has what was acknowledged before (ext4)', { timeout: TEST_TIMEOUT_MS }, async (context) => {
  let disk: ReflinkDisk;
  try {
    disk = ReflinkDisk.mount('ext4');
  } catch (error) {
    if (error instanceof NoSmallDisk) return context.skip(error.message);
    throw error;
  }
  try {
    await snapshotRounds(disk, 3, seededRandom('snapshots'));
  } finally {
    disk.dispose();
  }
});
