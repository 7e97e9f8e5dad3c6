// The metadata log, snapshots included, on a disk that loses what was not synced: a short slice of `npm run fault -- --metadata`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type WorldFigures, liveMetadataWorld } from '../fault/metadata-world.js';
import { testSeed } from '../support/random.js';
import { type Lie } from '../support/recorded-disk.js';

const noFigures = (): WorldFigures => ({ cuts: 0, lives: 0, changes: 0, snapshotsRead: 0, operations: 0 });

test('every change that was answered is there after a power cut at any moment, and every snapshot that has its name is whole', async (context) => {
  const seed = testSeed();
  context.diagnostic(`SLUICE_TEST_SEED=${seed}`);
  const figures = noFigures();
  await liveMetadataWorld({ seed, lives: 2, cutsPerLife: 5, changesPerLife: 50 }, figures);
  assert.ok(figures.cuts > 0 && figures.operations > 100);
});

// What would not be noticed would prove nothing: the same with one sync left out.
const leftOut: readonly (readonly [string, Lie, RegExp])[] = [
  ['of a snapshot', (path) => path.endsWith('.checkpoint.part'), /checkpoint has no (end|footer)|batch/],
  ['of the journal', (path) => path.includes('/journal.sluice/journal-'), /after the power cut there is/],
];
for (const [what, lies, found] of leftOut) {
  test(`the sync ${what} left out is found`, async () => {
    const figures = noFigures();
    await assert.rejects(async () => {
      for (let seed = 1; seed <= 10; seed += 1) await liveMetadataWorld({ seed, lives: 1, cutsPerLife: 20, changesPerLife: 50, lies }, figures);
    }, found);
  });
}
