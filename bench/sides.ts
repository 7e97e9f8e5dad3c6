// The sides of a comparison: Sluice and Apache Kafka as their users start them, and the bare server that does only the necessary
// work. Each is a process that is started fresh, asked by sluice-load, and read through /proc.
import { closeSync, fsyncSync, mkdirSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../test/support/paths.js';
import { BackgroundProcess, run } from '../test/support/process.js';
import { freePort, makeTempDirectory, removeDirectory } from '../test/support/temp.js';
import { type Durability, type Workload } from './workloads.js';

const buildDirectory = join(repositoryRoot, 'build', 'bench');
const loadProgram = join(buildDirectory, 'bench', 'native', 'sluice-load');
const bareProgram = join(buildDirectory, 'bench', 'native', 'sluice-bare');

/** What sluice-load printed, one object. */
export type LoadResult = Readonly<Record<string, number | string>>;

export async function buildLoadGenerator(): Promise<void> {
  const step = async (command: string, args: string[]) => {
    const result = await run(command, args, { timeoutMs: 600_000 });
    if (result.exitCode !== 0) throw new Error(`${command} ${args.join(' ')}\n${result.stdout}${result.stderr}`);
  };
  await step('cmake', ['-S', repositoryRoot, '-B', buildDirectory, '-G', 'Ninja', '-DSLUICE_BENCH=ON']);
  await step('ninja', ['-C', buildDirectory, 'sluice-load', 'sluice-bare']);
}

export async function load(command: string, port: number, args: Readonly<Record<string, number | string>>): Promise<LoadResult> {
  const list = Object.entries(args).flatMap(([name, value]) => (value === '' ? [name] : [name, String(value)]));
  const result = await run(loadProgram, [command, '--port', String(port), ...list], { timeoutMs: 300_000 });
  if (result.exitCode !== 0) throw new Error(`sluice-load ${command} ${list.join(' ')}: ${result.stderr.trim()}`);
  return result.stdout === '' ? {} : (JSON.parse(result.stdout) as LoadResult);
}

export function topicConfigs(side: 'sluice' | 'kafka', durability: Durability): string | undefined {
  if (durability === 'fsync') return 'flush.messages=1';
  return side === 'sluice' ? 'sluice.durability=os' : undefined;
}

/** Writes and deletes that many bytes, so that a run does not measure the machine's first touch of cold memory. */
export function warmPageCache(directory: string, bytes: number): void {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'warm-up');
  const block = Buffer.alloc(1 << 20, 1);
  const file = openSync(path, 'w');
  for (let written = 0; written < bytes; written += block.length) writeSync(file, block);
  fsyncSync(file);
  closeSync(file);
  unlinkSync(path);
}

/** The bare server for one workload, for as long as `use` runs. */
export async function withBare<T>(workload: Workload, use: (port: number, server: BackgroundProcess) => Promise<T>): Promise<T> {
  const directory = makeTempDirectory('bare');
  const port = await freePort();
  const args = ['--port', String(port), '--directory', directory];
  if (workload.bare === 'fetch') {
    for (const name of ['--record-size', '--batch-records']) args.push(name, String(workload.args[name]));
    args.push('--fetch-bytes', String(workload.args['--bytes']));
  } else {
    args.push('--work', workload.bare);
  }
  const server = new BackgroundProcess(bareProgram, args);
  try {
    await new Promise<void>((resolve, reject) => {
      server.onLine((line) => line === 'ready' && resolve());
      server.exited().then(() => reject(new Error(`sluice-bare ended: ${server.output}`)), reject);
    });
    return await use(port, server);
  } finally {
    await server.stop('SIGKILL');
    removeDirectory(directory);
  }
}
