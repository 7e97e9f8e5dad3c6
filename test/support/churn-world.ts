// What those who churn have in common: where the broker is, what exists there, and what was done.
import { setTimeout as delay } from 'node:timers/promises';
import { errorName } from '../../src/protocol/errors.js';
import { KafkaClient } from './kafka-client.js';

export interface ChurnCounts {
  topics: number;
  partitions: number;
  records: number;
  segments: number;
  /** Partitions whose start was seen to move by retention, and those that were seen compacted. */
  retained: number;
  compacted: number;
  deletedRecords: number;
  groups: number;
  /** Generations that members lived through. */
  generations: number;
  vanished: number;
  connections: number;
}

export interface ChurnWorld {
  readonly port: number;
  readonly counts: ChurnCounts;
  /** Topics that exist, for those who look, read and commit. */
  readonly topics: Set<string>;
  /** Connections that do nothing, until the broker has closed each. */
  readonly idle: Set<Promise<void>>;
}

export function churnWorld(port: number): ChurnWorld {
  return {
    port, topics: new Set(), idle: new Set(),
    counts: { topics: 0, partitions: 0, records: 0, segments: 0, retained: 0, compacted: 0, deletedRecords: 0, groups: 0, generations: 0, vanished: 0, connections: 0 },
  };
}

export function connect(world: ChurnWorld, clientId = 'churn'): Promise<KafkaClient> {
  world.counts.connections += 1;
  return KafkaClient.connect(world.port, clientId);
}

/** Throws unless it is one of these. */
export function expectError(what: string, code: number | undefined, ...expected: readonly string[]): string {
  const name = code === undefined ? 'no answer' : errorName(code);
  if (!expected.includes(name)) throw new Error(`${what}: ${name}, not ${expected.join(' or ')}`);
  return name;
}

/** Asks until the answer is no longer `undefined`; throws when it is that for too long. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>, { everyMs = 50, limitMs = 60_000 } = {}): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${limitMs} ms`);
    await delay(everyMs);
  }
}
