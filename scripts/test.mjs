// `npm test`: everything that needs no Java. `npm run test:all`: what comes on top of it (it repeats nothing).
//   npm test -- unit native      only these parts; any part of any tier may be named
//   npm test -- --list           what parts there are
// Each part shows what its runner prints. The last line sums up: N passed, N failed. A part that cannot run is named, with the reason; under CI=true
// it counts as failed.
import { NATIVE_TEST_PACKAGES, requirePackages } from './build/debian.mjs';
import { fail, say, StepError } from './build/report.mjs';
import { prepare } from './build/prepare.mjs';
import { Ahead } from './test/ahead.mjs';
import { parts } from './test/parts.mjs';
import { totals } from './test/totals.mjs';

const isCi = process.env.CI === 'true';
// What a change has to pass is the same each time: random tests take their seed from here, and look elsewhere in everybody's own runs.
if (isCi) for (const name of ['SLUICE_SEED', 'SLUICE_TEST_SEED']) process.env[name] ??= '20260';
const started = performance.now();
const TOLD_FAILURE_LINES = 60;

function chosenParts(args) {
  const names = args.filter((arg) => !arg.startsWith('--'));
  const unknown = [...names.filter((name) => !parts.some((part) => part.name === name)), ...args.filter((arg) => !['--all', '--list'].includes(arg) && arg.startsWith('--'))];
  if (unknown.length > 0) {
    throw new StepError(`${unknown.join(', ')}: there is no such part`, { remedy: `the parts are ${parts.map((part) => part.name).join(', ')}` });
  }
  if (names.length > 0) return parts.filter((part) => names.includes(part.name));
  return parts.filter((part) => part.tier === (args.includes('--all') ? 'all' : 'quick'));
}

/** { passed, failed }, and `reason` where the part could not run. */
async function runPart(part) {
  const startedAt = performance.now();
  process.stdout.write(`\n=== ${part.name}: ${part.what}\n`);
  let result;
  try {
    result = await part.run();
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    fail(error);
    process.exitCode = 0;
    // A broken build is a failure; what this machine lacks is not, outside of CI.
    result = error.couldNotRun ? { passed: 0, failed: isCi ? 1 : 0, reason: error.message } : { passed: 0, failed: 1 };
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(`--- ${part.name}: ${summary(result)} (${seconds} s)\n`);
  return { part, ...result };
}

/** Once more at the end, where it is not lost among what passed. */
function tellFailures({ part, failed, failures = [] }) {
  if (failed === 0 || failures.length === 0) return;
  const shown = failures.slice(0, TOLD_FAILURE_LINES);
  process.stdout.write(`\n=== what failed in ${part.name}\n${shown.join('\n')}\n`);
}

function summary({ passed, failed, reason }) {
  return reason === undefined ? `${passed} passed, ${failed} failed` : `could not run: ${reason}`;
}

async function main(args) {
  if (args.includes('--list')) {
    for (const part of parts) process.stdout.write(`${part.name.padEnd(12)} ${part.tier.padEnd(6)} ${part.what}\n`);
    return;
  }
  const chosen = chosenParts(args);
  // What lacks is said before anything takes time.
  if (chosen.some((part) => part.name === 'native')) await requirePackages(NATIVE_TEST_PACKAGES, 'testing');
  await prepare();
  const results = [];
  const ahead = await Ahead.start(chosen);
  try {
    for (const part of chosen) {
      await ahead.leave(part);
      results.push(await runPart(part));
    }
  } finally {
    await ahead.end();
  }
  for (const result of results) tellFailures(result);
  process.stdout.write('\n');
  for (const result of results) process.stdout.write(`${result.part.name.padEnd(12)} ${summary(result)}\n`);
  const { passed, failed } = totals(results);
  say(`${chosen.length} parts in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  // A run that tested nothing proves nothing.
  if (failed > 0 || passed === 0) process.exitCode = 1;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  fail(error);
}
