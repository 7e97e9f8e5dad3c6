// sluice-load and sluice-bare as programs: built when they are needed, called, and their one line of JSON read.
import { join } from 'node:path';
import { repositoryRoot } from '../../test/support/paths.js';
import { BackgroundProcess, run } from '../../test/support/process.js';

const buildDirectory = join(repositoryRoot, 'build', 'bench');
const loadProgram = join(buildDirectory, 'bench', 'native', 'sluice-load');
export const bareProgram = join(buildDirectory, 'bench', 'native', 'sluice-bare');

export type LoadCommand = 'create' | 'delete' | 'produce' | 'fetch' | 'tail' | 'e2e' | 'await-produce' | 'forget';

/** Arguments by their names, those without a value with ''. Undefined ones are left out. */
export type LoadArguments = Readonly<Record<string, number | string | undefined>>;

/** What sluice-load printed. */
export interface LoadResult {
  readonly seconds: number;
  readonly requests: number;
  readonly records: number;
  readonly bytes: number;
  readonly mb_per_s: number;
  readonly requests_per_s: number;
  readonly records_per_s: number;
  readonly client_cpu_s: number;
  readonly mean_us: number;
  readonly p50_us: number;
  readonly p95_us: number;
  readonly p99_us: number;
  readonly p999_us: number;
  readonly percentiles?: readonly (readonly [number, number])[];
}

/** For plots, where the load had latencies. */
export function percentilesOf({ percentiles }: LoadResult): Pick<LoadResult, 'percentiles'> {
  return percentiles === undefined ? {} : { percentiles };
}

export async function buildNativePrograms(): Promise<void> {
  const step = async (command: string, args: string[]) => {
    const result = await run(command, args, { timeoutMs: 600_000 });
    if (result.exitCode !== 0) throw new Error(`${command} ${args.join(' ')}\n${result.stdout}${result.stderr}`);
  };
  await step('cmake', ['-S', repositoryRoot, '-B', buildDirectory, '-G', 'Ninja', '-DSLUICE_BENCH=ON']);
  await step('ninja', ['-C', buildDirectory, 'sluice-load', 'sluice-bare']);
}

function listOf(args: LoadArguments): string[] {
  return Object.entries(args).flatMap(([name, value]) => (value === undefined ? [] : value === '' ? [name] : [name, String(value)]));
}

/** Topic settings as sluice-load takes them. */
function configsOf(configs: Readonly<Record<string, string>>): string[] {
  return Object.entries(configs).flatMap(([name, value]) => ['--config', `${name}=${value}`]);
}

export async function load(
  command: LoadCommand, port: number, args: LoadArguments, { configs = {}, timeoutMs = 300_000 }: { configs?: Readonly<Record<string, string>>; timeoutMs?: number } = {},
): Promise<LoadResult> {
  const list = [...listOf(args), ...configsOf(configs)];
  const result = await run(loadProgram, [command, '--port', String(port), ...list], { timeoutMs });
  if (result.exitCode !== 0) throw new Error(`sluice-load ${command} ${list.join(' ')}: ${result.stderr.trim()}`);
  return JSON.parse(result.stdout === '' ? '{}' : result.stdout) as LoadResult;
}

/** A load that runs beside another one. `result` resolves with what it printed when it ends by itself. */
export function startLoad(command: LoadCommand, port: number, args: LoadArguments): { process: BackgroundProcess; result: Promise<LoadResult> } {
  const process = new BackgroundProcess(loadProgram, [command, '--port', String(port), ...listOf(args)]);
  const result = process.exited().then(({ code }) => {
    if (code !== 0) throw new Error(`sluice-load ${command}: ${process.output.trim()}`);
    return JSON.parse(process.output) as LoadResult;
  });
  result.catch(() => {});
  return { process, result };
}
