// `npm run fault -- --seed N --runs M`: random worlds on a simulated disk, cut again and again. What it may be told is in test/native/fault/main.cc.
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail } from '../build/report.mjs';
import { root } from '../build/paths.mjs';
import { run } from '../build/run.mjs';
import { buildNative } from './native.mjs';

const FOLDER = 'build/fault';
const MINUTE = 60_000;

/** Builds the program, with the engine as it is or as one of its mutants, and runs it; resolves with its exit code. */
export async function runFault(args, { program = 'sluice_fault', folder = FOLDER, options = [], onLine = (line) => process.stdout.write(`${line}\n`), timeoutMs } = {}) {
  await buildNative({ folder, options, targets: [program] });
  const { code } = await run(join(root, folder, program), args, { cwd: root, onLine, timeoutMs });
  return code;
}

/** The slice that every test run has. */
export async function faultSlice({ runs, ...build }) {
  const code = await runFault(['--runs', String(runs), '--jobs', String(availableParallelism()), ...seed()], { ...build, timeoutMs: 4 * MINUTE });
  return { passed: code === 0 ? runs : 0, failed: code === 0 ? 0 : 1 };
}

function seed() {
  return process.env.SLUICE_SEED === undefined ? [] : ['--seed', process.env.SLUICE_SEED];
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = await runFault(process.argv.slice(2));
  } catch (error) {
    fail(error);
  }
}
