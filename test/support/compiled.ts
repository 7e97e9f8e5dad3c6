// Small programs and libraries in C that tests put under or beside a broker: from scripts/test, compiled into the build folder.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repositoryRoot } from './paths.js';

/** Compiles scripts/test/<name>.c to build/<name>/<name> (and the suffix); `flags` stand behind the source, where libraries belong. Throws with what the compiler says. */
export function compiled(name: string, { suffix = '', flags = [] }: { suffix?: string; flags?: readonly string[] } = {}): string {
  const output = join(repositoryRoot, 'build', name, `${name}${suffix}`);
  mkdirSync(dirname(output), { recursive: true });
  execFileSync('cc', ['-O1', '-Wall', '-o', output, join(repositoryRoot, 'scripts', 'test', `${name}.c`), ...flags]);
  return output;
}
