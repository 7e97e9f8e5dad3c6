// Node with an addon that was built with AddressSanitizer and UndefinedBehaviorSanitizer: the tests of the embedded engine and of the broker, and what their
// processes leave behind. Node itself was not built so, and never gives back what it holds at its end: a leak counts where the addon asked for the memory.
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cmakeAddonOptions } from '../build/addon.mjs';
import { CLANG_PACKAGES } from '../build/debian.mjs';
import { root } from '../build/paths.mjs';
import { run } from '../build/run.mjs';
import { StepError } from '../build/report.mjs';
import { CLANG_BUILD } from './fuzz.mjs';
import { buildNative } from './native.mjs';
import { needs } from './needs.mjs';
import { nodeTests } from './node.mjs';
import { totals } from './totals.mjs';

const MINUTE = 60_000;
const FOLDERS = ['engine', 'kafka', 'broker'];
/** Its brokers run under scripts/test/record-disk.c, which cannot be preloaded beside a sanitizer. */
const RECORDED = ['metadata-power.test.js'];
const OUTPUT = join(root, CLANG_BUILD.folder, 'addon');
const REPORTS = join(root, CLANG_BUILD.folder, 'addon-reports');
const OF_THE_ADDON = /\b(?:sluice|Napi)::|sluice\.node/;
/** Whoever terminates a worker takes away the only thread that could settle its promises, and Node-API gives them back in no other way. */
const CANNOT_BE_GIVEN_BACK = /\bnapi_create_promise\b/;

export async function addonUnderAsan() {
  await needs(CLANG_PACKAGES);
  await buildNative({ ...CLANG_BUILD, options: [...CLANG_BUILD.options, ...cmakeAddonOptions(OUTPUT)], targets: ['sluice_addon'] });
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS);
  const env = {
    SLUICE_ADDON: join(OUTPUT, 'sluice.node'),
    LD_PRELOAD: await runtime(),
    ASAN_OPTIONS: `detect_leaks=1:strict_string_checks=1:abort_on_error=1:exitcode=0:log_path=${join(REPORTS, 'asan')}`,
    UBSAN_OPTIONS: `print_stacktrace=1:halt_on_error=1:abort_on_error=1:log_path=${join(REPORTS, 'ubsan')}`,
  };
  const results = [];
  for (const folder of FOLDERS) results.push(await nodeTests(folder, { timeoutMs: 15 * MINUTE, env, except: RECORDED }));
  const reported = readdirSync(REPORTS).flatMap((name) => found(readFileSync(join(REPORTS, name), 'utf8')));
  for (const report of reported) process.stdout.write(`${report}\n`);
  const { passed, failed } = totals(results);
  return { passed, failed: failed + reported.length, failures: [...results.flatMap(({ failures }) => failures), ...reported] };
}

async function runtime() {
  const { output } = await run('clang', [`-print-file-name=libclang_rt.asan-${{ x64: 'x86_64', arm64: 'aarch64' }[process.arch]}.so`]);
  const path = output.trim();
  if (!path.startsWith('/')) throw new StepError('clang has no AddressSanitizer to be loaded before Node', { remedy: `install ${CLANG_PACKAGES.join(' ')}` });
  return path;
}

/** What a report says of the addon: an error, or memory that it asked for, itself or of Node-API, and lost. */
export function found(report) {
  const [head = '', ...leaks] = report.split(/^(?=(?:Direct|Indirect) leak of )/m);
  if (/ERROR: AddressSanitizer|runtime error: /.test(head)) return [report];
  return leaks.filter((leak) => {
    const frames = leak.split('\n').filter((line) => /^\s+#\d+ /.test(line));
    const intoScripts = frames.findIndex((frame) => /\b(?:v8|v8impl|node)::/.test(frame));
    const own = intoScripts < 0 ? frames : frames.slice(0, intoScripts);
    return own.some((frame) => OF_THE_ADDON.test(frame)) && !own.some((frame) => CANNOT_BE_GIVEN_BACK.test(frame));
  });
}
