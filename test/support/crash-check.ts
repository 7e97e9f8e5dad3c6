// What must be true of a topic after crashes, whoever produced to it: each record is "partition:number", numbers from 0 on.
import assert from 'node:assert/strict';
import { Random } from './random.js';
import { recordsOf } from './raw-client.js';

/** Of a partition so many records are there, and what else there is: each once, at the offset of its number, without a hole. Returns where it ends. */
export async function assertPartition(port: number, topic: string, partition: number, acknowledged: number, from = 0): Promise<number> {
  let next = from;
  for await (const records of recordsOf(port, topic, partition, from)) {
    for (const { offset, value } of records) {
      const wanted = `${partition}:${next}`;
      if (offset !== next || value.toString() !== wanted) assert.fail(`lost, doubled or out of order: ${topic}-${partition} has ${value.toString()} at ${offset}, not ${wanted} at ${next}`);
      next += 1;
    }
  }
  assert.ok(next >= acknowledged, `acknowledged, but not there: ${topic}-${partition} ends at ${next}, not ${acknowledged}`);
  return next;
}

/** `assertPartition` for each of a topic. Returns how many records were found. */
export async function assertNothingLost(port: number, topic: string, acknowledged: readonly number[]): Promise<number> {
  let found = 0;
  for (const [partition, count] of acknowledged.entries()) found += await assertPartition(port, topic, partition, count);
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
