// A guard against slow code that no stopwatch can be: the hot paths' instructions on fixed inputs, counted by callgrind and held against
// bench/native/instructions.json. Only functions of ours count, not libc's, which differ by processor.
// `node scripts/test/instructions.mjs --renew` writes the counts anew, after a change that is meant to alter them.
import { mkdtempSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../build/paths.mjs';
import { runAsProgram } from '../build/program.mjs';
import { say, StepError } from '../build/report.mjs';
import { run, tailOf } from '../build/run.mjs';
import { countsOf } from './callgrind.mjs';
import { buildNative, plainBuild } from './native.mjs';
import { needs } from './needs.mjs';

const FOLDER = 'build/counted';
const EXPECTED = 'bench/native/instructions.json';
const RENEW = 'node scripts/test/instructions.mjs --renew';
/** Compilers of one Debian release differ by their patch level, and the standard library's headers with them. */
const TOLERANCE = 0.03;
const OWN = 'sluice::';
const HARNESS = 'sluice::bench::';
const TIMEOUT_MS = 300_000;

async function count() {
  await needs(['valgrind']);
  await buildNative({ folder: FOLDER, options: [...plainBuild().options, '-DSLUICE_BENCH=ON'], targets: ['sluice-counted'] });
  const directory = mkdtempSync(join(tmpdir(), 'sluice-counted-'));
  try {
    mkdirSync(join(directory, 'data'));
    const program = join(root, FOLDER, 'bench', 'native', 'sluice-counted');
    const valgrind = ['--tool=callgrind', '--collect-atstart=no', '--compress-strings=no', `--callgrind-out-file=${join(directory, 'out')}`];
    const { code, output } = await run('valgrind', [...valgrind, program, join(directory, 'data')], { timeoutMs: TIMEOUT_MS });
    if (code !== 0) throw new StepError('sluice-counted failed under valgrind', { tail: tailOf(output), remedy: 'run it without valgrind first' });
    const dumps = readdirSync(directory).filter((name) => name.startsWith('out.')).map((name) => readFileSync(join(directory, name), 'utf8'));
    const isOwn = (name) => name.startsWith(OWN) && !name.startsWith(HARNESS);
    const counts = dumps.map((dump) => countsOf(dump, isOwn)).filter(({ name }) => name !== undefined);
    return Object.fromEntries(counts.map(({ name, instructions }) => [name, instructions]));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** One line for each count that is not what it should be. */
export function differences(expected, found, tolerance = TOLERANCE) {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
  return names.flatMap((name) => {
    if (expected[name] === undefined) return [`${name}: counted, but nothing is expected of it`];
    if (found[name] === undefined) return [`${name}: expected, but not counted`];
    const change = found[name] / expected[name] - 1;
    if (Math.abs(change) <= tolerance) return [];
    const percent = `${change > 0 ? '+' : ''}${(100 * change).toFixed(1)} %`;
    return [`${name}: ${found[name].toLocaleString('en-US')} instructions instead of ${expected[name].toLocaleString('en-US')} (${percent})`];
  });
}

export async function instructions() {
  const found = await count();
  const expected = JSON.parse(readFileSync(join(root, EXPECTED), 'utf8'));
  for (const [name, value] of Object.entries(found)) process.stdout.write(`${value.toLocaleString('en-US').padStart(14)}  ${name}\n`);
  const lines = differences(expected, found);
  for (const line of lines) process.stdout.write(`FAILED ${line}\n`);
  if (lines.length > 0) say(`more than ${100 * TOLERANCE} % away from ${EXPECTED}; if the change is meant: ${RENEW}`);
  return { passed: Object.keys(expected).length - lines.length, failed: lines.length };
}

async function renew() {
  const found = await count();
  writeFileSync(join(root, EXPECTED), `${JSON.stringify(found, null, 2)}\n`);
  say(`${Object.keys(found).length} counts written to ${EXPECTED}`);
}

await runAsProgram(import.meta.url, async (args) => {
  if (args.includes('--renew')) await renew();
  else if ((await instructions()).failed > 0) process.exitCode = 1;
});
