// Tests of node:test, from dist/test.
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root } from '../build/paths.mjs';
import { run } from '../build/run.mjs';
import { filesBelow } from '../build/stamp.mjs';
import { StepError } from '../build/report.mjs';

/** A test, or a file that does not end, fails alone and does not take the whole part with it. */
const FILE_TIMEOUT_MS = 300_000;

/** Runs dist/test/<folder>/** but the files named in `except`, through `launcher` (a command and its arguments) when there is one. `failures` is what the runner says of them in the end. */
export async function nodeTests(folder, { concurrency = 1, timeoutMs, launcher = [], env = {}, except = [] }) {
  const files = filesBelow(`dist/test/${folder}`, ['.test.js']).filter((file) => existsSync(sourceOf(file)) && !except.includes(basename(file)));
  if (files.length === 0) throw new StepError(`there are no tests in test/${folder}`);
  const flags = ['--test', '--test-reporter=spec', `--test-concurrency=${concurrency}`, `--test-timeout=${Math.min(FILE_TIMEOUT_MS, timeoutMs)}`];
  const [command, ...args] = [...launcher, process.execPath, ...flags, ...files];
  const counts = { pass: 0, fail: 0, cancelled: 0 };
  const failures = [];
  let areFailures = false;
  const onLine = (line) => {
    process.stdout.write(`${line}\n`);
    if (areFailures) failures.push(line);
    areFailures ||= line === '✖ failing tests:';
    const match = /^ℹ (pass|fail|cancelled) (\d+)$/.exec(line);
    if (match) counts[match[1]] = Number(match[2]);
  };
  const { code, timedOut } = await run(command, args, { cwd: root, env, onLine, timeoutMs });
  if (timedOut) process.stdout.write(`test/${folder} did not end within ${timeoutMs / 1000} s and was killed\n`);
  const failed = counts.fail + counts.cancelled;
  return { passed: counts.pass, failed: code !== 0 && failed === 0 ? 1 : failed, failures };
}

function sourceOf(file) {
  return join(root, file.slice('dist/'.length).replace(/\.js$/, '.ts'));
}
