// Python clients, in a virtual environment that is made on demand: .cache/python-<hash of the requirements>.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.js';
import { repositoryRoot } from './paths.js';
import { run } from './process.js';
import { type ProgramOrReason } from './scenarios.js';

const folder = join(repositoryRoot, 'test', 'clients', 'python');
const INSTALL_TIMEOUT_MS = 300_000;

/** The program test/clients/python/<name>.py. */
export async function pythonProgram(name: string): Promise<ProgramOrReason> {
  let python: string;
  try {
    python = await virtualEnvironment();
  } catch (error) {
    return { missing: (error as Error).message };
  }
  return { command: python, args: ['-u', join(folder, `${name}.py`)], env: { PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: folder } };
}

async function virtualEnvironment(): Promise<string> {
  const requirements = join(folder, 'requirements.txt');
  const hash = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 16);
  const home = join(repositoryRoot, '.cache', `python-${hash}`);
  const python = join(home, 'bin', 'python');
  const isComplete = () => existsSync(join(home, 'complete'));
  if (isComplete()) return python;
  const step = async (what: string, command: string, args: readonly string[]): Promise<void> => {
    const result = await run(command, args, { timeoutMs: INSTALL_TIMEOUT_MS }).catch((cause: unknown) => {
      throw new Error(`${what}: ${command} does not run. Install it first, on Debian: apt-get install -y python3-venv`, { cause });
    });
    if (result.exitCode !== 0) throw new Error(`${what} failed: ${result.stdout}${result.stderr}`.trim());
  };
  await withLock(`${home}.lock`, async () => {
    if (isComplete()) return;
    // A run that was cut short left no `complete`, and is begun anew.
    rmSync(home, { recursive: true, force: true });
    await step('making a virtual environment for the Python clients', 'python3', ['-m', 'venv', home]);
    await step('installing the Python clients', python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:', '-r', requirements]);
    writeFileSync(join(home, 'complete'), '');
  });
  return python;
}
