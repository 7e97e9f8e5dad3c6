// npm packages to compare with. They are no dependencies of this project: a run that needs them installs these versions into bench/.cache, which is
// ignored, and compiles what is native with the node-gyp that is here, so that nothing is downloaded behind npm's back.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { repositoryRoot } from '../../test/support/paths.js';
import { run } from '../../test/support/process.js';
import { type Effort } from '../suite/effort.js';
import { type Measurement } from '../suite/measurement.js';
import { say } from '../suite/progress.js';

export const PACKAGES = {
  lmdb: { version: '3.5.6', isCompiled: false },
  'classic-level': { version: '3.0.0', isCompiled: false },
  'better-sqlite3': { version: '12.6.2', isCompiled: true },
  lz4: { version: '0.6.5', isCompiled: true },
  'zstd-napi': { version: '0.0.13', isCompiled: true },
  tinybench: { version: '6.2.5', isCompiled: false },
} as const;

export type PackageName = keyof typeof PACKAGES;

/** What is measured inside a Node program, without a broker. */
export interface InProcessWorkload {
  readonly id: 'b6' | 'b10';
  readonly title: string;
  readonly seconds: number;
  readonly packages: readonly PackageName[];
  /** With `packages` installed. */
  run(effort: Effort, add: (measurement: Measurement) => void): Promise<void>;
}

const home = join(repositoryRoot, 'bench', '.cache', 'npm');
const INSTALL_TIMEOUT_MS = 300_000;
const COMPILE_TIMEOUT_MS = 900_000;

function folderOf(name: PackageName): string {
  return join(home, 'node_modules', name);
}

/** Written when it has been compiled: a package may bring a build for another system. */
function compiledHere(name: PackageName): string {
  return join(folderOf(name), 'build', 'compiled-here');
}

function isReady(name: PackageName): boolean {
  const file = join(folderOf(name), 'package.json');
  if (!existsSync(file)) return false;
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return version === PACKAGES[name].version && (!PACKAGES[name].isCompiled || existsSync(compiledHere(name)));
}

export function arePackagesReady(names: readonly PackageName[]): boolean {
  return names.every(isReady);
}

/** Installs what is missing of them. Throws an Error that says what to do where that fails. */
export async function requirePackages(names: readonly PackageName[]): Promise<void> {
  const missing = names.filter((name) => !isReady(name));
  if (missing.length === 0) return;
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
  say(`installing ${missing.join(', ')} into bench/.cache`);
  // All of them at once: npm takes away what it is not told of.
  const all = (Object.keys(PACKAGES) as PackageName[]).map((name) => `${name}@${PACKAGES[name].version}`);
  const installed = await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-save', ...all], { cwd: home, timeoutMs: INSTALL_TIMEOUT_MS });
  if (installed.exitCode !== 0) throw new Error(`npm could not install ${missing.join(', ')}:\n${installed.stderr.trim()}`);
  // At the same time, since the next workload would wait for its own.
  await Promise.all((Object.keys(PACKAGES) as PackageName[]).filter((name) => PACKAGES[name].isCompiled && !isReady(name)).map(compile));
}

async function compile(name: PackageName): Promise<void> {
  say(`compiling ${name}, once`);
  const gyp = createRequire(join(repositoryRoot, 'package.json')).resolve('node-gyp/bin/node-gyp.js');
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? [`--nodedir=${prefix}`] : [];
  const ccache = await run('ccache', ['--version']).then((result) => result.exitCode === 0, () => false);
  const result = await run(process.execPath, [gyp, 'rebuild', '--release', ...headers], {
    cwd: folderOf(name), timeoutMs: COMPILE_TIMEOUT_MS, ...(ccache ? { env: { CC: 'ccache gcc', CXX: 'ccache g++' } } : {}),
  });
  if (result.exitCode === 0) return writeFileSync(compiledHere(name), '');
  throw new Error(`${name} does not compile here:\n${result.stderr.trim().split('\n').slice(-30).join('\n')}`);
}

/** A package of the cache, as its CommonJS or ES module. */
export async function importPackage<T>(name: PackageName): Promise<T> {
  if (name === 'tinybench') return (await import(pathToFileURL(join(folderOf(name), 'dist', 'index.js')).href)) as T;
  return createRequire(join(home, 'package.json'))(name) as T;
}
