// A data directory goes from Sluice to Apache Kafka and back: after a clean stop either opens what the other wrote.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type BrokerProcess, type TargetKind, startBroker } from '../support/broker.js';
import { kcat } from '../support/kcat.js';
import { makeTempDirectory, removeDirectory } from '../support/temp.js';

let dataDirectory: string;
before(() => {
  dataDirectory = makeTempDirectory('exchange');
});
after(() => removeDirectory(dataDirectory));

async function withBroker(kind: TargetKind, run: (broker: BrokerProcess) => Promise<void>): Promise<void> {
  const broker = await startBroker({ kind, dataDirectory });
  try {
    await run(broker);
    await broker.stop();
  } finally {
    await broker.dispose();
  }
}

async function produce(broker: BrokerProcess, lines: readonly string[], codec: string): Promise<void> {
  const result = await kcat(broker.bootstrap, ['-P', '-t', 'moving', '-z', codec, '-X', 'enable.idempotence=true'], { input: `${lines.join('\n')}\n` });
  assert.equal(result.exitCode, 0, result.stderr);
}

async function consume(broker: BrokerProcess, group: string, count: number): Promise<string[]> {
  const args = ['-G', group, '-c', String(count), '-q', '-X', 'auto.offset.reset=earliest', '-X', 'check.crcs=true', 'moving'];
  const result = await kcat(broker.bootstrap, args, { timeoutMs: 60_000 });
  assert.equal(result.exitCode, 0, result.stderr);
  return result.stdout.split('\n').slice(0, -1);
}

const lines = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `record ${from + i}`);

test('records, topics and committed offsets move between the two', async () => {
  await withBroker('sluice', async (broker) => {
    await produce(broker, lines(0, 500), 'lz4');
    assert.deepEqual(await consume(broker, 'readers', 500), lines(0, 500));
  });
  await withBroker('kafka', async (broker) => {
    await produce(broker, lines(500, 900), 'zstd');
    // The group goes on where Sluice recorded it.
    assert.deepEqual(await consume(broker, 'readers', 400), lines(500, 900));
    assert.deepEqual(await consume(broker, 'others', 900), lines(0, 900));
  });
  await withBroker('sluice', async (broker) => {
    await produce(broker, lines(900, 1000), 'gzip');
    assert.deepEqual(await consume(broker, 'readers', 100), lines(900, 1000));
    assert.deepEqual(await consume(broker, 'late', 1000), lines(0, 1000));
  });
});
