// kill -9 under an idempotent producer with acks=all, again and again on the same data directory: no acknowledged record is lost,
// none is there twice, offsets stay contiguous. SLUICE_ROUNDS sets the number of crashes, SLUICE_SEED the moments.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBroker } from '../support/broker.js';
import { assertNothingLost, roundsWanted, seededRandom } from '../support/crash-check.js';
import { createTopicRaw, IdempotentProducer } from '../support/raw-client.js';

const TEST_TIMEOUT_MS = 600_000;

for (const durability of ['fsync', 'os']) {
  test(`kill -9 loses nothing that was acknowledged (durability ${durability})`, { timeout: TEST_TIMEOUT_MS }, async (context) => {
    const random = seededRandom(`kill9 ${durability}`);
    const rounds = roundsWanted();
    const partitions = 6;
    const broker = await startBroker({ properties: { ...(process.env['SLUICE_COMPAT_TARGET'] === 'kafka' ? {} : { 'sluice.durability': durability }) } });
    context.after(() => broker.dispose());
    await createTopicRaw(broker.port, 'crash', partitions);
    const producer = new IdempotentProducer({ port: broker.port, topic: 'crash', partitions, recordsPerBatch: 7 });
    producer.start();
    for (let round = 0; round < rounds; round += 1) {
      await producer.reached(producer.acknowledged + 200 + Math.floor(random() * 3000));
      await broker.kill9();
      await broker.start();
      // What was acknowledged before this crash is readable as soon as the broker is up, before anything is sent again.
      await assertNothingLost(broker.port, 'crash', producer.counts);
    }
    await producer.reached(producer.acknowledged + 100);
    await producer.finish();
    const found = await assertNothingLost(broker.port, 'crash', producer.counts);
    assert.equal(found, producer.acknowledged);
    assert.equal(await broker.stop(), broker.kind === 'sluice' ? 0 : 143);
    await broker.start();
    assert.equal(await assertNothingLost(broker.port, 'crash', producer.counts), found);
    // The check itself can fail.
    const neverWritten = producer.counts.map((count) => count + 1);
    await assert.rejects(assertNothingLost(broker.port, 'crash', neverWritten), /acknowledged, but not there/);
  });
}
