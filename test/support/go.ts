// Go clients, compiled on demand into .cache/go-<hash of their sources> with modules as Go's own cache and proxy have them.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.js';
import { repositoryRoot } from './paths.js';
import { run } from './process.js';
import { type ProgramOrReason } from './scenarios.js';

const folder = join(repositoryRoot, 'test', 'clients', 'go');
const BUILD_TIMEOUT_MS = 600_000;

/** The program test/clients/go/<name>; one that does not compile is an error, a machine without Go or its modules is not. */
export async function goProgram(name: string): Promise<ProgramOrReason> {
  const hash = createHash('sha256');
  for (const file of (readdirSync(folder, { recursive: true }) as string[]).sort()) {
    if (statSync(join(folder, file)).isFile()) hash.update(file).update(readFileSync(join(folder, file)));
  }
  const target = join(repositoryRoot, '.cache', `go-${hash.digest('hex').slice(0, 16)}`);
  const program = { command: join(target, name), args: [] };
  if (existsSync(target)) return program;
  return withLock(join(repositoryRoot, '.cache', 'go.lock'), async () => {
    if (existsSync(target)) return program;
    const download = await run('go', ['mod', 'download'], { cwd: folder, timeoutMs: BUILD_TIMEOUT_MS }).catch(() => undefined);
    if (download === undefined) return { missing: 'the Go clients need go (1.26 or newer), which does not run here' };
    if (download.exitCode !== 0) return { missing: `the modules of the Go clients cannot be had: ${download.stderr.trim()}` };
    const partial = `${target}.partial-${process.pid}`;
    const built = await run('go', ['build', '-o', `${partial}/`, './...'], { cwd: folder, timeoutMs: BUILD_TIMEOUT_MS });
    if (built.exitCode !== 0) throw new Error(`the Go clients do not compile:\n${built.stderr}`);
    renameSync(partial, target);
    return program;
  });
}
