// The offsets of all groups of a partition: what is durable, and what is on its way into the log. Clients see what is
// durable; decisions rest on what will be there when all that is under way has arrived.
import { type Offset } from './group-records.js';

/** One write of one offset; null takes it back. */
interface Pending {
  readonly value: Offset | null;
}

export class OffsetCell {
  /** Null: none. */
  durable: Offset | null = null;
  /** Oldest first. Nearly always empty, then no array is kept. */
  #pending: Pending[] | null = null;
  /** Of transactions that have not ended, by their producers, oldest first; null: something newer counts already. Only a log that Kafka wrote has them. */
  #uncommitted: Map<bigint, Offset | null> | null = null;

  get hasPending(): boolean {
    return this.#pending !== null;
  }

  get latest(): Offset | null {
    const pending = this.#pending;
    return pending === null ? this.durable : (pending[pending.length - 1] as Pending).value;
  }

  get isNothing(): boolean {
    return this.durable === null && this.#pending === null && this.#uncommitted === null;
  }

  /** Whether a transaction that has not ended may still change it. */
  get isUnstable(): boolean {
    return this.#uncommitted !== null;
  }

  /** What the log says, outside of transactions. What was taken back takes unfinished transactions with it. */
  replay(value: Offset | null): void {
    this.durable = value;
    if (value === null) this.#uncommitted = null;
    for (const producerId of this.#uncommitted?.keys() ?? []) this.#uncommitted!.set(producerId, null);
  }

  replayUncommitted(producerId: bigint, value: Offset): void {
    this.#uncommitted ??= new Map();
    this.#uncommitted.delete(producerId);
    this.#uncommitted.set(producerId, value);
  }

  replayEnd(producerId: bigint, isCommitted: boolean): void {
    const uncommitted = this.#uncommitted;
    const value = uncommitted?.get(producerId);
    if (uncommitted === null || value === undefined) return;
    if (isCommitted && value !== null) {
      this.durable = value;
      for (const earlier of uncommitted.keys()) {
        if (earlier === producerId) break;
        uncommitted.set(earlier, null);
      }
    }
    uncommitted.delete(producerId);
    if (uncommitted.size === 0) this.#uncommitted = null;
  }

  /** Begins a write; what it returns ends it. */
  begin(value: Offset | null): (isDurable: boolean) => void {
    const write: Pending = { value };
    (this.#pending ??= []).push(write);
    return (isDurable) => {
      if (isDurable) this.replay(value);
      const pending = (this.#pending ?? []).filter((other) => other !== write);
      this.#pending = pending.length === 0 ? null : pending;
    };
  }
}

export type TopicOffsets = ReadonlyMap<number, OffsetCell>;
export type GroupOffsets = ReadonlyMap<string, TopicOffsets>;

const NOTHING: GroupOffsets = new Map();

export class OffsetStore {
  readonly #groups = new Map<string, Map<string, Map<number, OffsetCell>>>();

  get groupIds(): Iterable<string> {
    return this.#groups.keys();
  }

  /** How many offsets there are, under way or durable. */
  get size(): number {
    let size = 0;
    for (const topics of this.#groups.values()) for (const partitions of topics.values()) size += partitions.size;
    return size;
  }

  ofGroup(groupId: string): GroupOffsets {
    return this.#groups.get(groupId) ?? NOTHING;
  }

  get(groupId: string, topic: string, partition: number): OffsetCell | undefined {
    return this.#groups.get(groupId)?.get(topic)?.get(partition);
  }

  /** The cell, made if it is not there. Who leaves nothing in it calls `tidy`. */
  cell(groupId: string, topic: string, partition: number): OffsetCell {
    let topics = this.#groups.get(groupId);
    if (topics === undefined) this.#groups.set(groupId, (topics = new Map()));
    let partitions = topics.get(topic);
    if (partitions === undefined) topics.set(topic, (partitions = new Map()));
    let cell = partitions.get(partition);
    if (cell === undefined) partitions.set(partition, (cell = new OffsetCell()));
    return cell;
  }

  /** Forgets a cell in which there is nothing. */
  tidy(groupId: string, topic: string, partition: number): void {
    const topics = this.#groups.get(groupId);
    const partitions = topics?.get(topic);
    if (topics === undefined || partitions?.get(partition)?.isNothing !== true) return;
    partitions.delete(partition);
    if (partitions.size === 0) topics.delete(topic);
    if (topics.size === 0) this.#groups.delete(groupId);
  }
}
