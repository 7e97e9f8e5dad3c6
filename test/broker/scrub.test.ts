// Damage at rest under a running broker: found by the scrub, said in the log, and not served.
import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startBroker } from '../support/broker.js';
import { createTopicRaw, IdempotentProducer, readPartition } from '../support/raw-client.js';

const CORRUPT_MESSAGE = 2;

test('a damaged batch is found, and a fetch of it answers CORRUPT_MESSAGE', { timeout: 60_000 }, async (context) => {
  const broker = await startBroker({ kind: 'sluice', properties: { 'log.segment.bytes': '1048576', 'sluice.scrub.interval.ms': '300', 'sluice.scrub.bytes.per.second': '1000000000' } });
  context.after(() => broker.dispose());
  await createTopicRaw(broker.port, 'rotten', 1);
  const producer = new IdempotentProducer({ port: broker.port, topic: 'rotten', partitions: 1, recordsPerBatch: 1000 });
  producer.start();
  const folder = join(broker.dataDirectory, 'rotten-0');
  for (let records = 50_000; readdirSync(folder).filter((name) => name.endsWith('.log')).length < 2; records += 50_000) await producer.reached(records);
  await producer.finish();
  assert.equal((await readPartition(broker.port, 'rotten', 0)).length, producer.acknowledged);

  const path = join(folder, '00000000000000000000.log');
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, 200);
  byte[0] = byte[0]! ^ 1;
  writeSync(file, byte, 0, 1, 200);
  closeSync(file);
  const found = `${path} at 0: partition rotten-0 is damaged: batch CRC does not match`;
  while (!broker.output.includes(found)) await delay(5);
  await assert.rejects(readPartition(broker.port, 'rotten', 0), new RegExp(`Fetch of rotten-0 at 0 was answered with error ${CORRUPT_MESSAGE}`));
  assert.equal(await broker.stop(), 0);
});
