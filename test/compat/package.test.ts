// The packed tarball in an empty project, as somebody installs it who has never seen this repository.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
let work: string;

function run(command: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = {}): { status: number | null; output: string } {
  const { SLUICE_ADDON: _, ...inherited } = process.env;
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 540_000, env: { ...inherited, ...env } });
  return { status, output: stdout + stderr };
}

before(() => {
  work = mkdtempSync(join(tmpdir(), 'sluice-package-'));
});
after(() => rmSync(work, { recursive: true, force: true }));

test('the tarball installs without scripts, says what to run, and then works', () => {
  const packed = run('npm', ['pack', '--pack-destination', work, '--ignore-scripts'], root);
  assert.equal(packed.status, 0, packed.output);
  const tarball = readdirSync(work).find((name) => name.endsWith('.tgz'));
  assert.ok(tarball !== undefined, packed.output);
  writeFileSync(join(work, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
  writeFileSync(join(work, 'use.js'), `
    import { openLog } from 'sluice';
    const log = await openLog({ dir: './log' });
    await log.append({ key: null, value: Buffer.from('installed') }).durable;
    for await (const record of log.read()) console.log(String(record.value));
    await log.close();`);
  const installed = run('npm', ['install', '--ignore-scripts', join(work, tarball)], work);
  assert.equal(installed.status, 0, installed.output);

  const missing = run(process.execPath, ['use.js'], work);
  assert.equal(missing.status, 1);
  const command = /run: node (\S+)/.exec(missing.output);
  assert.ok(command?.[1] !== undefined, missing.output);

  const built = run(process.execPath, [command[1]], work);
  assert.equal(built.status, 0, built.output);
  const used = run(process.execPath, ['use.js'], work);
  assert.deepEqual([used.status, used.output], [0, 'installed\n']);
});
