// `npm run fault -- --metadata [--seed N] [--cuts M]`: the metadata log under power cuts, in as many worlds as it takes. A failure names the world's seed.
import { parseArgs } from 'node:util';
import { type WorldFigures, liveMetadataWorld } from './metadata-world.js';

const { values } = parseArgs({ options: { seed: { type: 'string' }, cuts: { type: 'string', default: '400' } } });
const first = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const figures: WorldFigures = { cuts: 0, lives: 0, changes: 0, snapshotsRead: 0, operations: 0 };
const began = performance.now();
let seed = first;
try {
  for (; figures.cuts < Number(values.cuts); seed += 1) await liveMetadataWorld({ seed, lives: 3, cutsPerLife: 14, changesPerLife: 60 }, figures);
} catch (error) {
  process.stdout.write(`FAILED seed ${seed}: ${(error as Error).stack}\nreplay it:  npm run fault -- --metadata --seed ${seed} --cuts 1\n`);
  process.exitCode = 1;
}
const { cuts, lives, changes, snapshotsRead, operations } = figures;
process.stdout.write(
  `${cuts} power cuts of the metadata log in ${seed - first} worlds from seed ${first} on: ${((performance.now() - began) / 1000).toFixed(0)} s\n` +
    `  ${lives} lives, ${changes} changes answered, ${operations} operations of the disk, ${snapshotsRead} snapshots found whole after a cut\n`,
);
