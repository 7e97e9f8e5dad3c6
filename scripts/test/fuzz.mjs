// A short run of every libFuzzer target, the same each time: SLUICE_SEED sets another seed, and what was found is kept.
// `npm run fuzz -- --seconds 3600 [target ...]`: as long as one likes, each.
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { CLANG_PACKAGES } from '../build/debian.mjs';
import { root } from '../build/paths.mjs';
import { runAsProgram } from '../build/program.mjs';
import { StepError } from '../build/report.mjs';
import { run, tailOf } from '../build/run.mjs';
import { buildNative } from './native.mjs';
import { needs } from './needs.mjs';

/** One build for the sanitized tests and the fuzz targets: both take clang with the same sanitizers. */
export const CLANG_BUILD = {
  folder: 'build/asan',
  sanitize: 'address,undefined',
  options: ['-DSLUICE_FUZZ=ON', '-DCMAKE_CXX_COMPILER=clang++'],
};
const FOLDER = CLANG_BUILD.folder;
const DEFAULT_SEED = '20260';

export const allTargets = () => readdirSync(join(root, 'test/native/fuzz')).filter((name) => name.endsWith('_fuzz.cc')).map((name) => name.slice(0, -'.cc'.length)).sort();

export async function fuzz({ secondsEach, targets = allTargets() }) {
  await needs(CLANG_PACKAGES);
  await buildNative({ ...CLANG_BUILD, targets });
  const seed = process.env.SLUICE_SEED ?? DEFAULT_SEED;
  const waiting = [...targets];
  let failed = 0;
  const work = async () => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      if (!(await runTarget(target, seed, secondsEach))) failed += 1;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return { passed: targets.length - failed, failed };
}

async function runTarget(target, seed, seconds) {
  const work = join(root, FOLDER, 'found', target);
  mkdirSync(work, { recursive: true });
  const corpus = join(root, 'test/native/fuzz/corpus', target);
  // New inputs go to the first folder, which begins empty for every clone; those in the tree are only read.
  const inputs = [join(work, 'corpus'), ...(existsSync(corpus) ? [corpus] : [])];
  mkdirSync(inputs[0], { recursive: true });
  const limits = [`-seed=${seed}`, `-max_total_time=${seconds}`, '-timeout=10', '-rss_limit_mb=2048', '-print_final_stats=1', `-artifact_prefix=${work}/`];
  const { code, output } = await run(join(root, FOLDER, target), [...limits, ...inputs], { timeoutMs: (seconds + 120) * 1000 });
  const runs = /stat::number_of_executed_units:\s+(\d+)/.exec(output)?.[1];
  process.stdout.write(code === 0 ? `ok ${target}: ${runs} inputs in ${seconds} s, seed ${seed}\n` : `${tailOf(output)}\nnot ok ${target}: seed ${seed}; the input is in ${work}\n`);
  return code === 0;
}

async function main(args) {
  const at = args.indexOf('--seconds');
  const secondsEach = at < 0 ? 60 : Number(args[at + 1]);
  const targets = at < 0 ? args : args.filter((_, i) => i !== at && i !== at + 1);
  const unknown = targets.filter((target) => !allTargets().includes(target));
  if (!Number.isInteger(secondsEach) || secondsEach <= 0 || unknown.length > 0) {
    throw new StepError(`${unknown.length > 0 ? unknown.join(', ') : '--seconds'} is not understood`, {
      remedy: `npm run fuzz -- --seconds 3600 [target ...]; the targets are ${allTargets().join(', ')}`,
    });
  }
  const { failed } = await fuzz({ secondsEach, ...(targets.length > 0 && { targets }) });
  if (failed > 0) process.exitCode = 1;
}

await runAsProgram(import.meta.url, main);
