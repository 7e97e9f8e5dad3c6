// The tests that do I/O once more, under a seccomp filter that refuses io_uring: the fall-back driver passes what the first one passes.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../build/paths.mjs';
import { step } from '../build/run.mjs';
import { BUSY_LAYERS, nativeTests, plainBuild, REAL_DISK } from './native.mjs';
import { nodeTests } from './node.mjs';
import { totals } from './totals.mjs';

const MINUTE = 60_000;

export async function withoutIoUring() {
  const program = join(root, 'build/no-io-uring/no-io-uring');
  mkdirSync(join(root, 'build/no-io-uring'), { recursive: true });
  await step('building the filter', 'cc', ['-O1', '-Wall', '-o', program, 'scripts/test/no-io-uring.c'], { cwd: root });
  const results = [
    await nativeTests({ ...plainBuild(), layers: BUSY_LAYERS, filter: REAL_DISK, timeoutMs: 4 * MINUTE, launcher: [program] }),
    await nodeTests('engine', { timeoutMs: 3 * MINUTE, launcher: [program] }),
    await nodeTests('kafka', { timeoutMs: 4 * MINUTE, launcher: [program] }),
  ];
  return totals(results);
}
