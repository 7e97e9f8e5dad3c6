// What must be true of a topic after crashes, whoever produced to it: each record is "partition:number", numbers from 0 on.
import assert from 'node:assert/strict';
import { Random } from './random.js';
import { type Acknowledged, readPartition } from './raw-client.js';
import { type RawRecord } from './record-batch.js';

/** What a partition holds from an offset on: each record at its number, without a hole. */
export function assertInOrder(records: readonly RawRecord[], topic: string, partition: number, from = 0): void {
  records.forEach((record, i) => {
    assert.equal(record.offset, from + i, `an offset is missing in ${topic}-${partition}`);
    assert.equal(record.value.toString(), `${partition}:${from + i}`, `lost, doubled or out of order at offset ${from + i} of ${topic}-${partition}`);
  });
}

/**
 * Every acknowledged record is there, once, where it was acknowledged; numbers are in order without a hole; offsets are contiguous
 * from 0. Returns the number of records found.
 */
export async function assertNothingLost(port: number, topic: string, partitions: number, acknowledged: readonly Acknowledged[]): Promise<number> {
  let found = 0;
  for (let partition = 0; partition < partitions; partition += 1) {
    const records = await readPartition(port, topic, partition);
    found += records.length;
    assertInOrder(records, topic, partition);
    for (const each of acknowledged) {
      if (each.partition !== partition) continue;
      assert.ok(each.sequence < records.length, `acknowledged, but not there: record ${each.sequence} of ${topic}-${partition} (${records.length} left)`);
      if (each.offset >= 0) assert.equal(each.offset, each.sequence, `record ${each.sequence} was acknowledged at another offset`);
    }
  }
  return found;
}

/** A small generator with a seed, printed so that a failing run can be had again. */
export function seededRandom(name: string): () => number {
  const seed = Number(process.env['SLUICE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`${name}: SLUICE_SEED=${seed}`);
  return randomFrom(seed);
}

/** Numbers from 0 to 1, the same for the same seed. */
export function randomFrom(seed: number): () => number {
  const random = new Random(seed);
  return () => random.fraction();
}

export function roundsWanted(): number {
  const rounds = Number(process.env['SLUICE_ROUNDS'] ?? 5);
  assert.ok(Number.isInteger(rounds) && rounds > 0, 'SLUICE_ROUNDS is the number of rounds');
  return rounds;
}
