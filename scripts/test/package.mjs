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

const checks = [
  {
    what: 'without the addon an error names the one command to run',
    run: (project) => run(process.execPath, ['-e', "import('sluice/package.json', { with: { type: 'json' } }).then(() => import('./node_modules/sluice/dist/src/native/load.js')).then((m) => m.loadBinding())"], { cwd: project }),
    isRight: ({ code, output }, project) => code !== 0 && output.includes(`run: node ${join(project, 'node_modules/sluice/scripts/build.mjs')}`),
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
    writeFileSync(join(project, 'use.mjs'), USE);
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
