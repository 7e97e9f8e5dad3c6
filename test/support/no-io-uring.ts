// The launcher that refuses io_uring by seccomp, compiled once into the build folder.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './paths.js';

/** The command to put before another, which then runs without io_uring. */
export function noIoUring(): string {
  const folder = join(repositoryRoot, 'build', 'no-io-uring');
  const binary = join(folder, 'no-io-uring');
  mkdirSync(folder, { recursive: true });
  execFileSync('cc', ['-O1', '-Wall', '-o', binary, join(repositoryRoot, 'scripts', 'test', 'no-io-uring.c')]);
  return binary;
}
