// The tarball as npm would publish it, installed into an empty project as a user would, once with and once without the addon.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../build/paths.mjs';
import { StepError } from '../build/report.mjs';
import { run, step, tailOf } from '../build/run.mjs';

const USE = `
import { openLog, startBroker } from 'sluice';
const log = await openLog({ dir: './events' });
await log.append([{ key: null, value: Buffer.from('hello') }]).durable;
for await (const record of log.read({ from: 'start' })) console.log(String(record.value));
await log.close();
const broker = await startBroker({ properties: { listeners: 'PLAINTEXT://127.0.0.1:0', 'log.dirs': './broker' } });
console.log('port', broker.ready.listeners[0].port > 0);
await broker.close();
`;

const COMMONJS = `
import('sluice').then(async ({ openLog }) => {
  const log = await openLog({ dir: './events' });
  console.log((await log.ends()).end);
  await log.close();
});
`;

const WITHOUT_ADDON = `
import { openLog, startBroker } from 'sluice';
for (const use of [() => openLog({ dir: './events' }), () => startBroker({ properties: { 'log.dirs': './broker' } })]) {
  await use().catch((error) => console.log(error.code, error.message));
}
`;

/** A program in TypeScript, as strict as it goes. */
const TYPED = `
import { type Append, type LogRecord, type RunningBroker, LogError, openLog, startBroker } from 'sluice';
const log = await openLog({ dir: './events', durability: 'os', compression: 'zstd' });
const append: Append = log.append({ key: null, value: new Uint8Array(3), headers: [{ key: 'h', value: null }] }, { partition: 0 });
const last: bigint = (await append.durable).lastOffset;
for await (const record of log.read({ from: last, live: true, signal: AbortSignal.timeout(1) })) {
  const { offset, value }: LogRecord = record;
  if (offset > 0n) console.log(value?.length);
}
const broker: RunningBroker = await startBroker({ properties: { 'num.partitions': 3 } });
const port: number = broker.ready.listeners[0]?.port ?? 0;
try {
  await log.close();
} catch (error) {
  if (error instanceof LogError && error.code === 'ERR_SLUICE_IO') console.log(port);
}
// @ts-expect-error there is no such option
await openLog({ dir: './events', colour: 'red' });
`;

const command = (project) => `run: node ${join(project, 'node_modules/sluice/scripts/build.mjs')}`;

const checks = [
  {
    what: 'without the addon an error names the one command to run',
    run: (project) => run(process.execPath, ['without.mjs'], { cwd: project }),
    isRight: ({ code, output }, project) => code === 0 && output.trimEnd().split('\n').length === 2
      && output.split('\n').slice(0, 2).every((line) => line.startsWith('ERR_SLUICE_ADDON ') && line.endsWith(command(project))),
  },
  {
    what: 'so does the command, in one line',
    run: (project) => run(join(project, 'node_modules/.bin/sluice'), [], { cwd: project }),
    isRight: ({ code, output }, project) => code === 1 && /^sluice: [^\n]+\n$/.test(output) && output.includes(command(project)),
  },
  {
    what: 'that command builds it',
    run: (project) => run(process.execPath, [join(project, 'node_modules/sluice/scripts/build.mjs')], { cwd: project }),
    isRight: ({ code }) => code === 0,
  },
  {
    what: 'a log and a broker run in process',
    run: (project) => run(process.execPath, ['use.mjs'], { cwd: project }),
    isRight: ({ code, output }) => code === 0 && output.includes('hello\nport true\n'),
  },
  {
    what: 'from CommonJS too',
    run: (project) => run(process.execPath, ['use.cjs'], { cwd: project }),
    isRight: ({ code, output }) => code === 0 && output.includes('1n\n'),
  },
  {
    what: 'its types hold in a strict program',
    run: (project) => run(process.execPath, [
      join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--target', 'es2022',
      '--module', 'nodenext', '--types', 'node', '--typeRoots', join(root, 'node_modules/@types'), 'typed.ts',
    ], { cwd: project }),
    isRight: ({ code }) => code === 0,
  },
  {
    what: 'the command runs',
    run: (project) => run(join(project, 'node_modules/.bin/sluice'), ['--version'], { cwd: project }),
    isRight: ({ code, output }) => code === 0 && output.startsWith('sluice '),
  },
];

export async function installedPackage() {
  const project = mkdtempSync(join(tmpdir(), 'sluice-package-'));
  try {
    await step('packing', 'npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', project], { cwd: root });
    const { output } = await run('sh', ['-c', 'ls *.tgz'], { cwd: project });
    const tarball = output.trim();
    if (tarball === '' || tarball.includes('\n')) throw new StepError(`npm pack made no single tarball: ${tarball}`);
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
    writeFileSync(join(project, 'without.mjs'), WITHOUT_ADDON);
    writeFileSync(join(project, 'use.mjs'), USE);
    writeFileSync(join(project, 'use.cjs'), COMMONJS);
    writeFileSync(join(project, 'typed.ts'), TYPED);
    await step('installing the tarball', 'npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', `./${tarball}`], { cwd: project });
    let failed = 0;
    for (const check of checks) {
      const result = await check.run(project);
      const isRight = check.isRight(result, project);
      process.stdout.write(isRight ? `ok ${check.what}\n` : `${tailOf(result.output)}\nnot ok ${check.what}\n`);
      if (!isRight) failed += 1;
    }
    return { passed: checks.length - failed, failed };
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}
