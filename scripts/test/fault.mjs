// `npm run fault -- --seed N --runs M`: random worlds on a simulated disk, cut again and again; what it may be told is in test/native/fault/main.cc.
// `npm run fault -- --metadata [--seed N] [--cuts M]`: power cuts under a broker's metadata log; test/fault/metadata-run.ts.
// `npm run fault -- --mutations [name ...]`: engines that are broken on purpose, one place each; every one must be found.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { root } from '../build/paths.mjs';
import { prepare } from '../build/prepare.mjs';
import { runAsProgram } from '../build/program.mjs';
import { StepError } from '../build/report.mjs';
import { run, tailOf } from '../build/run.mjs';
import { MUTATIONS, writeMutants } from './mutations.mjs';
import { buildNative } from './native.mjs';

const FOLDER = 'build/fault';
const MINUTE = 60_000;
const MOST_RUNS = 3000;
/** Found within the first worlds, and built in seconds. */
const CHEAP = ['lying_disk', 'journal_crc'];

/** The slice that every test run has: so many worlds that are cut, so many in which bits change, and the two mutations without which it would prove nothing. */
export async function faultSlice({ runs, flips, folder, options }) {
  const cheap = MUTATIONS.filter(({ name }) => CHEAP.includes(name));
  const mutants = writeMutants(folder, cheap);
  await buildNative({ folder, options, targets: ['sluice_fault', ...mutants.map(({ program }) => program)] });
  const slices = [['--runs', String(runs)], ['--flips', '--runs', String(flips)]];
  let failed = 0;
  for (const slice of slices) {
    const code = await runProgram(folder, 'sluice_fault', [...slice, '--jobs', String(availableParallelism()), ...seed()], 4 * MINUTE);
    if (code !== 0) failed += 1;
  }
  failed += await survivors(folder, mutants);
  return { passed: slices.length + mutants.length - failed, failed };
}

/** How many of the mutants nobody noticed. */
async function survivors(folder, mutants) {
  let survived = 0;
  for (const { name, what, program, args = [] } of mutants) {
    const command = ['--runs', String(MOST_RUNS), '--no-minimise', ...seed(), ...args];
    const { code, output, timedOut } = await run(join(root, folder, program), command, { cwd: root, timeoutMs: 10 * MINUTE });
    const [first] = output.split('\n');
    if (code === 1 && /^FAILED seed/m.test(output)) {
      process.stdout.write(`ok ${name}, ${what}: found after ${first.replace(/ from seed.*/, '')}\n`);
    } else {
      process.stdout.write(`${tailOf(output, 10)}\nnot ok ${name}, ${what}: ${timedOut ? 'no end in time' : 'nobody noticed'}\n`);
      survived += 1;
    }
  }
  return survived;
}

async function runProgram(folder, program, args, timeoutMs) {
  const { code } = await run(join(root, folder, program), args, { cwd: root, onLine: (line) => process.stdout.write(`${line}\n`), timeoutMs });
  return code;
}

/** The same each time, as the fuzz targets' is: new worlds are for the command. */
function seed() {
  return ['--seed', process.env.SLUICE_SEED ?? '1'];
}

async function mutations(names) {
  const unknown = names.filter((name) => !MUTATIONS.some((mutation) => mutation.name === name));
  if (unknown.length > 0) {
    throw new StepError(`${unknown.join(', ')}: there is no such mutation`, { remedy: `there are ${MUTATIONS.map(({ name }) => name).join(', ')}` });
  }
  const mutants = writeMutants(FOLDER, MUTATIONS.filter(({ name }) => names.length === 0 || names.includes(name)));
  await buildNative({ folder: FOLDER, targets: [...new Set(mutants.map(({ program }) => program))] });
  const survived = await survivors(FOLDER, mutants);
  process.stdout.write(`${mutants.length - survived} of ${mutants.length} found\n`);
  return survived === 0 ? 0 : 1;
}

async function metadata(args) {
  await prepare();
  const { code } = await run(process.execPath, ['dist/test/fault/metadata-run.js', ...args], { cwd: root, onLine: (line) => process.stdout.write(`${line}\n`), timeoutMs: 60 * MINUTE });
  return code;
}

async function main(args) {
  if (args[0] === '--mutations') return mutations(args.slice(1));
  if (args[0] === '--metadata') return metadata(args.slice(1));
  await buildNative({ folder: FOLDER, targets: ['sluice_fault'] });
  return runProgram(FOLDER, 'sluice_fault', args);
}

await runAsProgram(import.meta.url, async (args) => {
  process.exitCode = await main(args);
});
