// The engine's own tests: built by CMake, run by ctest, counted by GoogleTest.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { addonObjects } from '../build/addon.mjs';
import { NATIVE_TEST_PACKAGES } from '../build/debian.mjs';
import { root } from '../build/paths.mjs';
import { run, step } from '../build/run.mjs';
import { filesBelow } from '../build/stamp.mjs';
import { needs } from './needs.mjs';

export const ALL_LAYERS = ['base', 'io', 'batch', 'log', 'net', 'kafka'];
/** Those in which threads meet, and which do I/O. */
export const BUSY_LAYERS = ['io', 'log', 'net', 'kafka'];
/** Leaves out the long ones on a simulated disk, which have one thread and no driver of their own: the plain run and ASan's have them. */
export const REAL_DISK = '-CleanerCrash*:CleanerRandom*:FlipRandom*:RecoveryRandom*';

const SANITIZER_ENVIRONMENT = {
  ASAN_OPTIONS: 'detect_leaks=1:strict_string_checks=1:check_initialization_order=1',
  UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
  TSAN_OPTIONS: 'second_deadlock_stack=1:halt_on_error=1',
};

/** The build of the plain tests: what they test is what the addon was linked from. */
export function plainBuild() {
  const objects = addonObjects();
  return { folder: 'build/native', options: [`-DSLUICE_OBJECTS=${objects ?? ''}`] };
}

/** What CMake is called with: `sanitize` is what SLUICE_SANITIZE takes, `targets` what to build. */
export function cmakeSteps({ folder, sanitize = '', options = [], targets = [] }) {
  return {
    configure: ['-S', '.', '-B', folder, '-G', 'Ninja', `-DSLUICE_SANITIZE=${sanitize}`, ...options],
    build: ['--build', folder, ...targets.flatMap((target) => ['--target', target])],
    env: { CCACHE_BASEDIR: root, CCACHE_NOHASHDIR: '1' },
  };
}

/** Configures and builds. */
export async function buildNative({ folder, ...rest }) {
  await needs(NATIVE_TEST_PACKAGES);
  const remedy = 'mend what the compiler says above and run the same command again';
  const { configure, build, env } = cmakeSteps({ folder, ...rest });
  await step(`configuring ${folder}`, 'cmake', configure, { cwd: root, remedy });
  await step(`building ${folder}`, 'cmake', build, {
    cwd: root,
    env,
    remedy,
    detailOf: (line) => /^\[\d+\/\d+\]/.exec(line)?.[0],
  });
}

const testedOf = (layers) => layers.filter((layer) => filesBelow(`test/native/${layer}`, ['_test.cc']).length > 0);
export const testTargets = (layers) => testedOf(layers).map((layer) => `${layer}_tests`);

/** Builds and runs the tests of the layers named; those that GoogleTest's `filter` leaves, and through `launcher`, when there is one. */
export async function nativeTests({ folder, sanitize, options, layers, filter, timeoutMs, launcher = [] }) {
  const tested = testedOf(layers);
  await buildNative({ folder, sanitize, options, targets: testTargets(layers) });
  const select = ['-R', `^(${tested.join('|')})_[0-9]$`];
  const ctest = ['ctest', '--test-dir', join(root, folder), '-V', '-j', String(availableParallelism()), '--no-tests=error', ...select];
  const counts = { passed: 0, failed: 0, brokenPrograms: 0 };
  const failures = [];
  const onLine = (line) => {
    count(counts, line);
    if (isTelling(line)) process.stdout.write(`${line}\n`);
    if (/Failure$|FAILED|\*\*\*|ERROR: |SUMMARY: /.test(line)) failures.push(line);
  };
  const [command, ...args] = [...launcher, ...ctest];
  const { code, timedOut } = await run(command, args, {
    cwd: root, env: { GTEST_BRIEF: '1', ...(filter && { GTEST_FILTER: filter }), ...SANITIZER_ENVIRONMENT }, onLine, timeoutMs,
  });
  if (timedOut) process.stdout.write(`the tests in ${folder} did not end within ${timeoutMs / 1000} s and were killed\n`);
  // A program that crashes does not come to count; ctest knows that it failed.
  const failed = Math.max(counts.failed, counts.brokenPrograms);
  return { passed: counts.passed, failed: code !== 0 && failed === 0 ? 1 : failed, failures };
}

export function count(counts, line) {
  const passed = /^\d+: \[ {2}PASSED {2}\] (\d+) tests?\./.exec(line);
  if (passed) counts.passed += Number(passed[1]);
  // GoogleTest's brief form has no sum of failures, but names each once with its time.
  if (/^\d+: \[ {2}FAILED {2}\] .* \(\d+ ms\)$/.test(line)) counts.failed += 1;
  const programs = /^\d+% tests passed, (\d+) tests? failed out of/.exec(line);
  if (programs) counts.brokenPrograms = Number(programs[1]);
}

/** What the test programs print, and ctest's own results; not how it calls them. */
function isTelling(line) {
  return /^\d+: (?!Test command|Working Directory|Test timeout|Environment variables|  GTEST_|Running main)/.test(line)
    || /^\s*\d+\/\d+ Test|tests passed|^Total Test time|FAILED|\*\*\*/.test(line);
}
