// What a gigabyte leaves behind: the memory of the broker while it is produced and read, and the way its bytes take to the socket.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { buildNativePrograms, load } from '../../bench/broker/load.js';
import { startBroker } from '../support/broker.js';
import { BackgroundProcess, run } from '../support/process.js';
import { makeTempDirectory, removeDirectory } from '../support/temp.js';

const TEST_TIMEOUT_MS = 600_000;
const MIB = 1 << 20;
const topic = { '--topic': 'gigabyte', '--partitions': 4 };

before(() => buildNativePrograms(), { timeout: TEST_TIMEOUT_MS });

for (const durability of ['fsync', 'os']) {
  test(`memory stays flat while a gigabyte passes (durability ${durability})`, { timeout: TEST_TIMEOUT_MS }, async (context) => {
    const broker = await startBroker({ kind: 'sluice', properties: { 'sluice.durability': durability } });
    context.after(() => broker.dispose());
    await load('create', broker.port, topic);
    // The first pass opens files and fills buffers to their working size; what comes after must not add to it.
    await load('produce', broker.port, { ...topic, '--bytes': 50e6 });
    await load('fetch', broker.port, { ...topic, '--verify-every': 1 });
    const before = broker.process.rssBytes();
    await load('produce', broker.port, { ...topic, '--bytes': 1e9, '--connections': 4 });
    const result = await load('fetch', broker.port, { ...topic, '--connections': 4 });
    assert.ok(Number(result['bytes']) >= 1e9);
    const grown = broker.process.rssBytes() - before;
    const peak = broker.process.peakRssBytes();
    console.log(`${durability}: RSS ${Math.round(before / MIB)} MiB, ${Math.round(grown / MIB)} MiB more after a gigabyte, at most ${Math.round(peak / MIB)} MiB`);
    assert.ok(peak < 300 * MIB, `the broker needed ${peak} bytes`);
    assert.ok(grown < 64 * MIB, `the broker grew by ${grown} bytes`);
  });
}

test('fetched records go to the socket through sendfile', { timeout: TEST_TIMEOUT_MS }, async (context) => {
  const strace = await run('strace', ['-V']).catch(() => undefined);
  if (strace === undefined) return context.skip('strace is not installed (apt-get install -y strace)');
  const directory = makeTempDirectory('strace');
  context.after(() => removeDirectory(directory));
  const broker = await startBroker({ kind: 'sluice' });
  context.after(() => broker.dispose());
  await load('create', broker.port, topic);
  await load('produce', broker.port, { ...topic, '--bytes': 100e6 });
  const trace = join(directory, 'trace');
  const tracer = new BackgroundProcess('strace', ['-f', '-p', String(broker.pid), '-e', 'trace=sendfile,sendfile64,splice', '-o', trace]);
  while (!/attached/.test(tracer.output)) {
    if (tracer.hasExited) return context.skip(`strace may not attach here: ${tracer.output}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const result = await load('fetch', broker.port, topic);
  await tracer.stop('SIGINT');
  const sent = [...readFileSync(trace, 'utf8').matchAll(/sendfile(?:64)?\(.* = (\d+)$/gm)].reduce((sum, match) => sum + Number(match[1]), 0);
  assert.ok(sent >= 0.95 * Number(result['bytes']), `${sent} of ${result['bytes']} bytes went through sendfile`);
});
