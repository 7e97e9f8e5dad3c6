// A group's member that reads a topic and comes back after each crash of the broker: it joins again, as the member that it was as long as the group knows
// it, and goes on where the group has committed. It notices what a crash must not do to a group: commits that are lost, and records that are left out.
import { setTimeout as delay } from 'node:timers/promises';
import { errorName, fetchApi, heartbeatApi, joinGroupApi, offsetCommitApi, offsetFetchApi, syncGroupApi } from '../../src/protocol/index.js';
import { type Member, subscription } from '../kafka/support/groups.js';
import { KafkaClient } from './kafka-client.js';
import { parseBatches } from './record-batch.js';

/** Shorter than it takes to kill and start a broker a few times: a member that nobody knows of, as its answer was lost, holds up the group for that long. */
export const READER_SESSION_MS = 1500;
const HEARTBEAT_EVERY_MS = 100;
const FETCH_WAIT_MS = 50;
const FETCH_PARTITION_BYTES = 1 << 20;
const COME_BACK_AFTER_MS = 10;

/** What all members of a group have read and committed of its topic. */
export class GroupProgress {
  readonly groupId: string;
  readonly topic: string;
  readonly partitions: number;
  readonly #read: number[];
  readonly #committed: number[];

  constructor(groupId: string, topic: string, partitions: number) {
    this.groupId = groupId;
    this.topic = topic;
    this.partitions = partitions;
    this.#read = Array<number>(partitions).fill(0);
    this.#committed = Array<number>(partitions).fill(0);
  }

  /** Records of all partitions, each counted once. */
  get records(): number {
    return this.#read.reduce((sum, count) => sum + count, 0);
  }

  /** How many of `counts` records a partition are still to be read. */
  missing(counts: readonly number[]): number {
    return counts.reduce((sum, count, partition) => sum + Math.max(0, count - this.#read[partition]!), 0);
  }

  took(partition: number, offsets: readonly number[]): void {
    for (const offset of offsets) {
      const next = this.#read[partition]!;
      // Some come again after a crash; none is left out.
      if (offset > next) throw new BrokenPromise(`${this.topic}-${partition}: offset ${offset} came, and ${next} did not`);
      if (offset === next) this.#read[partition] = next + 1;
    }
  }

  committed(partition: number, offset: number): void {
    this.#committed[partition] = Math.max(this.#committed[partition]!, offset);
  }

  found(partition: number, offset: number): void {
    const least = this.#committed[partition]!;
    if (offset < least) throw new BrokenPromise(`${this.groupId} had committed ${least} of ${this.topic}-${partition}, and found ${offset}`);
  }
}

/** No consequence of a crash. */
export class BrokenPromise extends Error {}

export class GroupReader {
  readonly #port: number;
  readonly #name: string;
  readonly #progress: GroupProgress;
  readonly #life: Promise<void>;
  #memberId = '';
  #isOver = false;
  #failure: BrokenPromise | undefined;
  #lastError: unknown;

  constructor(port: number, name: string, progress: GroupProgress) {
    this.#port = port;
    this.#name = name;
    this.#progress = progress;
    this.#life = this.#live();
  }

  /** What it has given up for. */
  get failure(): BrokenPromise | undefined {
    return this.#failure;
  }

  /** What it has met last, and come back from or not. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /** Without leaving the group. */
  stop(): Promise<void> {
    this.#isOver = true;
    return this.#life;
  }

  async #live(): Promise<void> {
    while (!this.#isOver) {
      try {
        const client = await KafkaClient.connect(this.#port, this.#name);
        try {
          while (!this.#isOver) await this.#belong(client);
        } finally {
          client.close();
        }
      } catch (error) {
        if (error instanceof BrokenPromise) {
          this.#failure = error;
          return;
        }
        this.#lastError = error;
        await delay(COME_BACK_AFTER_MS);
      }
    }
  }

  /** For one generation of the group. */
  async #belong(client: KafkaClient): Promise<void> {
    const { groupId, topic, partitions } = this.#progress;
    const joined = await client.ask(joinGroupApi, 9, {
      groupId, memberId: this.#memberId, sessionTimeoutMs: READER_SESSION_MS, rebalanceTimeoutMs: READER_SESSION_MS, protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscription(topic) }],
    });
    if (errorName(joined.errorCode) === 'UNKNOWN_MEMBER_ID') this.#memberId = '';
    else if (joined.memberId !== '') this.#memberId = joined.memberId;
    if (joined.errorCode !== 0) return this.#again('JoinGroup', joined.errorCode);
    const member = { groupId, memberId: this.#memberId, generationId: joined.generationId };
    const everybody = joined.members.map(({ memberId }) => memberId).sort();
    const assignments = everybody.map((memberId, i) => ({
      memberId, assignment: Buffer.from(Array.from({ length: partitions }, (_, partition) => partition).filter((partition) => partition % everybody.length === i)),
    }));
    const synced = await client.ask(syncGroupApi, 5, { ...member, protocolType: 'consumer', protocolName: 'range', assignments: joined.leader === this.#memberId ? assignments : [] });
    if (synced.errorCode !== 0) return this.#again('SyncGroup', synced.errorCode);
    const positions = await this.#committed(client, [...synced.assignment]);
    while (!this.#isOver) {
      const until = performance.now() + HEARTBEAT_EVERY_MS;
      while (performance.now() < until && !this.#isOver) await this.#read(client, positions);
      const { errorCode } = await client.ask(heartbeatApi, 4, member);
      if (errorCode !== 0) return this.#again('Heartbeat', errorCode);
      if (!(await this.#commit(client, member, positions))) return;
    }
  }

  /** Says what came instead of an answer, so that the member joins again. */
  async #again(what: string, errorCode: number): Promise<void> {
    const name = errorName(errorCode);
    if (name === 'UNKNOWN_MEMBER_ID') this.#memberId = '';
    this.#lastError = new Error(`${this.#name}: ${what} was answered with ${name}`);
    // A member's first JoinGroup only tells it its name.
    if (name !== 'MEMBER_ID_REQUIRED') await delay(COME_BACK_AFTER_MS);
  }

  /** Where each partition was left. */
  async #committed(client: KafkaClient, partitions: readonly number[]): Promise<Map<number, number>> {
    const { groupId, topic } = this.#progress;
    const { groups: [group] } = await client.ask(offsetFetchApi, 8, { groups: [{ groupId, topics: [{ name: topic, partitionIndexes: [...partitions] }] }] });
    if (group?.errorCode !== 0) throw new Error(`OffsetFetch was answered with ${errorName(group?.errorCode ?? -1)}`);
    const positions = new Map<number, number>();
    for (const { partitionIndex, committedOffset, errorCode } of group.topics[0]?.partitions ?? []) {
      if (errorCode !== 0) throw new Error(`OffsetFetch of partition ${partitionIndex} was answered with ${errorName(errorCode)}`);
      const offset = Math.max(0, Number(committedOffset));
      this.#progress.found(partitionIndex, offset);
      positions.set(partitionIndex, offset);
    }
    return positions;
  }

  async #read(client: KafkaClient, positions: Map<number, number>): Promise<void> {
    // A member without partitions waits as long as others read.
    if (positions.size === 0) return void (await delay(FETCH_WAIT_MS));
    const { responses: [found] } = await client.ask(fetchApi, 12, {
      maxWaitMs: FETCH_WAIT_MS, minBytes: 1,
      topics: [{
        topic: this.#progress.topic,
        partitions: [...positions].map(([partition, offset]) => ({ partition, fetchOffset: BigInt(offset), partitionMaxBytes: FETCH_PARTITION_BYTES })),
      }],
    });
    for (const { partitionIndex, errorCode, records } of found?.partitions ?? []) {
      if (errorCode !== 0) throw new Error(`Fetch of partition ${partitionIndex} was answered with ${errorName(errorCode)}`);
      const position = positions.get(partitionIndex)!;
      const offsets = parseBatches(records ?? Buffer.alloc(0)).map(({ offset }) => offset).filter((offset) => offset >= position);
      this.#progress.took(partitionIndex, offsets);
      positions.set(partitionIndex, (offsets.at(-1) ?? position - 1) + 1);
    }
  }

  /** Whether it is a member still. */
  async #commit(client: KafkaClient, member: Member, positions: Map<number, number>): Promise<boolean> {
    const { topics: [topic] } = await client.ask(offsetCommitApi, 8, {
      groupId: member.groupId, memberId: member.memberId, generationIdOrMemberEpoch: member.generationId,
      topics: [{ name: this.#progress.topic, partitions: [...positions].map(([partitionIndex, offset]) => ({ partitionIndex, committedOffset: BigInt(offset) })) }],
    });
    for (const { partitionIndex, errorCode } of topic?.partitions ?? []) {
      if (errorCode !== 0) {
        await this.#again('OffsetCommit', errorCode);
        return false;
      }
      this.#progress.committed(partitionIndex, positions.get(partitionIndex)!);
    }
    return true;
  }
}
