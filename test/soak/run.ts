// `npm run soak -- <name> [--option value]...`: what takes too long, or too much of a machine, for the test suite. Prints figures; fails when a promise does not hold.
import { parseArgs } from 'node:util';
import { soakChurn } from './churn.js';
import { soakCodecs } from './codecs.js';
import { soakConnections } from './connections.js';
import { soakCrash } from './crash.js';
import { type SoakOptions } from './options.js';
import { soakPowerCuts, soakSnapshots } from './snapshots.js';

const soaks: Readonly<Record<string, (options: SoakOptions) => Promise<void>>> = {
  churn: soakChurn, codecs: soakCodecs, connections: soakConnections, crash: soakCrash, snapshots: soakSnapshots, powercuts: soakPowerCuts,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, minutes: { type: 'string', default: '10' }, clients: { type: 'string', default: '18000' }, kind: { type: 'string' }, rounds: { type: 'string', default: '1000' } },
});
const [name = ''] = positionals;
const soak = soaks[name];
if (soak === undefined) {
  process.stderr.write(`there is no soak '${name}': choose ${Object.keys(soaks).join(' or ')}\n`);
  process.exitCode = 1;
} else {
  await soak({
    seed: Number(values.seed ?? Math.floor(Math.random() * 2 ** 32)), minutes: Number(values.minutes), clients: Number(values.clients), kind: values.kind, rounds: Number(values.rounds),
  });
}
