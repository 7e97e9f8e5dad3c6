// `verify` as a user runs it: beside a broker, on what a clean stop, a crash and a changed byte leave. It changes nothing.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type VerifyReport } from '../../src/native/binding.js';
import { startBroker } from '../support/broker.js';
import { repositoryRoot } from '../support/paths.js';
import { run } from '../support/process.js';
import { createTopicRaw, IdempotentProducer } from '../support/raw-client.js';

const main = join(repositoryRoot, 'dist', 'src', 'cli', 'main.js');

const verify = (...args: string[]) => run(process.execPath, [main, 'verify', ...args]);

/** Names, sizes, times and bytes of everything below. */
function fingerprint(directory: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(directory, name);
    const { mtimeMs, size, ...stat } = statSync(path);
    hash.update(`${name} ${size} ${mtimeMs}\n`);
    if ((stat.mode & 0o170000) === 0o100000) hash.update(readFileSync(path));
  }
  return hash.digest('hex');
}

function flipByte(path: string, position: number): void {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, position);
  byte[0] = byte[0]! ^ 4;
  writeSync(file, byte, 0, 1, position);
  closeSync(file);
}

test('verify checks a stopped directory, and refuses one in use', async (context) => {
  const broker = await startBroker({ kind: 'sluice', properties: { 'offsets.topic.num.partitions': '1' } });
  context.after(() => broker.dispose());
  const data = broker.dataDirectory;
  for (const topic of ['one', 'two']) {
    await createTopicRaw(broker.port, topic, 2);
    const producer = new IdempotentProducer({ port: broker.port, topic, partitions: 2, recordsPerBatch: 10 });
    producer.start();
    await producer.reached(500);
    await producer.finish();
  }
  const refused = await verify(data);
  assert.equal(refused.exitCode, 2);
  assert.match(refused.stderr, /^sluice: directory \S+ is in use, .* is held by another process \(pid \d+\): stop the broker[^\n]*\n$/);

  await broker.kill9();
  let before = fingerprint(data);
  const crashed = await verify(data);
  assert.equal(crashed.exitCode, 0, crashed.stdout + crashed.stderr);
  assert.match(crashed.stdout, /^no damage, not stopped cleanly, 5 partitions, .* \d+ journal frames, .* MiB\/s\)$/m);
  assert.equal(fingerprint(data), before);

  await broker.start();
  assert.equal(await broker.stop(), 0);
  before = fingerprint(data);
  const well = await verify(data, '--json');
  assert.equal(well.exitCode, 0, well.stdout + well.stderr);
  const report = JSON.parse(well.stdout) as VerifyReport;
  assert.deepEqual([report.clean, report.partitions, report.damaged, report.damages], [true, 5, 0, []]);
  assert.equal(fingerprint(data), before);

  const damaged = join(data, 'two-1', '00000000000000000000.log');
  flipByte(damaged, 100);
  before = fingerprint(data);
  const found = await verify(data);
  assert.equal(found.exitCode, 1);
  const [line] = found.stdout.split('\n');
  assert.equal(line, `damaged: ${damaged} at 0 (two-1): batch CRC does not match, offsets 0 to 9`);
  assert.match(found.stdout, /^1 damage found, stopped cleanly, /m);
  assert.equal(fingerprint(data), before);
  assert.equal((await verify(data, '--topic', 'one')).exitCode, 0);
  assert.equal((await verify(data, '--topic=two')).exitCode, 1);

  for (const [args, expected] of [
    [[data, '--topic', 'none'], /no partition of topic none in/], [[join(data, 'none')], /No such file or directory/], [[], /verify needs a data directory/],
    [[data, '--fix'], /--fix is not an option of verify/],
  ] as const) {
    const failed = await verify(...args);
    assert.notEqual(failed.exitCode, 0);
    assert.match(failed.stderr, expected);
  }
});
