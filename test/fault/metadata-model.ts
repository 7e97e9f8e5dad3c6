// What random changes of metadata make of the topics, and what is compared of them.
import { type Random } from '../support/random.js';

export interface Topic {
  readonly partitions: number;
  readonly retentionMs: string;
}
export type Topics = ReadonlyMap<string, Topic>;

export type Change =
  | { readonly what: 'create'; readonly name: string; readonly partitions: number; readonly retentionMs: string }
  | { readonly what: 'delete'; readonly name: string }
  | { readonly what: 'grow'; readonly name: string; readonly partitions: number }
  | { readonly what: 'configure'; readonly name: string; readonly retentionMs: string };

/** Snapshots and rolls of the metadata log every few changes, and what they cover soon gone. */
export const METADATA_PROPERTIES: Readonly<Record<string, string>> = {
  'metadata.log.max.record.bytes.between.snapshots': '900',
  'metadata.max.retention.bytes': '6000',
  'internal.metadata.log.segment.bytes': '4000',
  'sluice.journal.bytes': String(16 << 20),
  'auto.create.topics.enable': 'false',
};

export function someChange(topics: Topics, random: Random): Change {
  const retentionMs = String(100_000 + random.below(1_000_000));
  if (topics.size < 3 || (topics.size < 12 && random.chance(0.4))) {
    return { what: 'create', name: `t${random.below(1_000_000)}`, partitions: 1 + random.below(3), retentionMs };
  }
  const name = random.pick([...topics.keys()]);
  const { partitions } = topics.get(name)!;
  if (random.chance(0.4)) return { what: 'delete', name };
  if (random.chance(0.3) && partitions < 8) return { what: 'grow', name, partitions: partitions + 1 };
  return { what: 'configure', name, retentionMs };
}

export function afterChange(topics: Topics, change: Change): Topics {
  const after = new Map(topics);
  const before = topics.get(change.name);
  if (change.what === 'delete') after.delete(change.name);
  else if (change.what === 'create') after.set(change.name, { partitions: change.partitions, retentionMs: change.retentionMs });
  else if (change.what === 'grow') after.set(change.name, { ...before!, partitions: change.partitions });
  else after.set(change.name, { ...before!, retentionMs: change.retentionMs });
  return after;
}

export function textOf(topics: Topics): string {
  return [...topics].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, { partitions, retentionMs }]) => `${name}:${partitions}:${retentionMs}`).join(' ');
}
