// The examples of the README and of docs/embedded.md, run as they stand there.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');

interface Example { source: string; prints: string }

/** Every js block, with the lines its comments say it prints (`// prints: ...`). */
async function examples(): Promise<Example[]> {
  const texts = await Promise.all(['README.md', 'docs/embedded.md'].map((file) => readFile(join(root, file), 'utf8')));
  return [...texts.join('\n').matchAll(/```js\n([\s\S]*?)```/g)].map(([, source = '']) => ({
    source,
    prints: [...source.matchAll(/\/\/ prints: (.*)/g)].map(([, line]) => `${line}\n`).join(''),
  }));
}

test('the README has an example for the embedded log and one for the broker', async () => {
  const sources = (await examples()).map(({ source }) => source);
  assert.ok(sources.some((source) => source.includes('openLog(')));
  assert.ok(sources.some((source) => source.includes('startBroker(')));
});

test('each example prints what it says', async () => {
  for (const { source, prints } of await examples()) {
    const dir = await mkdtemp(join(tmpdir(), 'sluice-readme-'));
    try {
      await mkdir(join(dir, 'node_modules'));
      for (const name of ['sluice', 'kafkajs']) {
        await symlink(name === 'sluice' ? root : join(root, 'node_modules', name), join(dir, 'node_modules', name));
      }
      await writeFile(join(dir, 'example.mjs'), source);
      const { stdout } = await run(process.execPath, ['example.mjs'], { cwd: dir, timeout: 60_000, env: { ...process.env, KAFKAJS_NO_PARTITIONER_WARNING: '1' } });
      assert.equal(stdout, prints, source);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }
});
