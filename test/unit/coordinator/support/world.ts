// A shard in a world where time passes when it is told to and the log answers when it is told to.
import assert from 'node:assert/strict';
import { errorName } from '../../../../src/protocol/errors.js';
import { ZERO_UUID } from '../../../../src/protocol/uuid.js';
import { type GroupRecord, decodeGroupRecord } from '../../../../src/protocol/records/group/index.js';
import { type Usage } from '../../../../src/coordinator/group.js';
import { type Effect, type Response } from '../../../../src/coordinator/machine.js';
import { type CoordinatorConfig, type Instant, type Logger, type RecordBytes } from '../../../../src/coordinator/ports.js';
import {
  type CommitRequest, type CommitResponse, type DeletedGroup, type DeleteOffsetsResponse, type FetchOffsetsResponse,
  type HeartbeatResponse, type JoinRequest, type JoinResponse, type LeaveResponse, type LeavingMember, type SyncRequest,
  type SyncResponse,
} from '../../../../src/coordinator/requests.js';
import { type Requests, Shard, type ShardEvent } from '../../../../src/coordinator/shard.js';
import { Writer } from '../../../../src/protocol/writer.js';
import { consumerProtocolSubscription } from '../../../../src/protocol/consumer/subscription.js';

export type Config = { -readonly [K in keyof CoordinatorConfig]: CoordinatorConfig[K] };

/** Kafka's defaults, except for the bounds that Kafka lacks. */
export function defaultConfig(): Config {
  return {
    minSessionTimeoutMs: 6000,
    maxSessionTimeoutMs: 1_800_000,
    initialRebalanceDelayMs: 3000,
    maxGroupSize: 2 ** 31 - 1,
    newMemberJoinTimeoutMs: 300_000,
    offsetMetadataMaxBytes: 4096,
    writeTimeoutMs: 60_000,
    offsetsRetentionMs: 7 * 24 * 3_600_000,
    offsetsRetentionCheckIntervalMs: 600_000,
    maxGroups: 1000,
    maxPendingMembersPerGroup: 1000,
    maxMemberBytes: 100_000_000,
  };
}

export const silent: Logger = { info() {}, warn() {}, error() {} };

export const GROUP = 'orders';
export const WALL_START = 1_700_000_000_000;
const NEWEST = { join: 9, sync: 5, heartbeat: 4, leave: 5, commitOffsets: 9, fetchOffsets: 9, deleteOffsets: 0, deleteGroups: 2 };

/** A request on its way. */
export class Call<R> {
  #responses: R[] = [];

  take(response: R): void {
    this.#responses.push(response);
  }

  get answers(): number {
    return this.#responses.length;
  }

  get isAnswered(): boolean {
    return this.#responses.length > 0;
  }

  /** The one answer. */
  get response(): R {
    assert.equal(this.#responses.length, 1, 'exactly one answer');
    return this.#responses[0] as R;
  }

  /** The name of the error in the one answer. */
  get error(): string {
    return errorName((this.response as { errorCode: number }).errorCode);
  }
}

export function subscription(...topics: string[]): Buffer {
  const writer = new Writer();
  writer.int16(0, 'version');
  consumerProtocolSubscription.write(writer, 0, { topics });
  return writer.finish();
}

interface Append {
  readonly write: number;
  readonly records: readonly RecordBytes[];
}

export interface JoinOptions extends Partial<Omit<JoinRequest, 'protocols'>> {
  readonly protocols?: readonly (readonly [string, Buffer])[];
  readonly version?: number;
  readonly clientId?: string;
}

export interface Joined {
  readonly memberId: string;
  readonly generationId: number;
}

export class World {
  readonly config = defaultConfig();
  readonly usage: Usage = { groups: 0, memberBytes: 0 };
  shard: Shard;
  now: Instant = { monotonicMs: 1000, wallMs: WALL_START };
  /** Everything that became durable, oldest first. */
  readonly log: RecordBytes[] = [];
  /** Appends that wait, when the log is held. */
  readonly held: Append[] = [];
  isLogHeld = false;
  /** Codes for the next appends; then all succeed. */
  readonly failures: number[] = [];
  readonly #calls = new Map<number, Call<Response>>();
  #lastTicket = 0;
  #lastUuid = 0;

  constructor(config: Partial<Config> = {}) {
    Object.assign(this.config, config);
    this.shard = this.newShard();
  }

  newShard(): Shard {
    return new Shard({
      config: this.config, log: silent, usage: this.usage, uuid: () => `id${++this.#lastUuid}`,
    });
  }

  /** What a broker has after a crash: a shard that knows what is in the log. */
  restart(): void {
    this.usage.groups = 0;
    this.usage.memberBytes = 0;
    this.held.length = 0;
    this.#calls.clear();
    this.shard = this.newShard();
    for (const record of this.log) this.shard.replay({ ...record, timestampMs: this.now.wallMs }, this.now.wallMs);
    this.handle({ kind: 'loaded' });
  }

  // The world

  handle(event: ShardEvent): void {
    this.#perform(this.shard.handle(event, this.now));
  }

  #perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'reply') {
        const call = this.#calls.get(effect.ticket);
        assert.ok(call, `ticket ${effect.ticket} was given out`);
        call.take(effect.response);
      } else {
        this.held.push(effect);
      }
    }
    if (!this.isLogHeld) this.settleAll();
  }

  /** Lets the oldest append arrive, or fail with a code. */
  settle(code = 0): void {
    const append = this.held.shift();
    assert.ok(append, 'an append is under way');
    if (code === 0) this.log.push(...append.records);
    this.handle({ kind: 'settled', write: append.write, code });
  }

  settleAll(): void {
    while (this.held.length > 0) this.settle(this.failures.shift() ?? 0);
  }

  /** Lets time pass; timers fire at their deadlines. */
  advance(ms: number): void {
    const end = this.now.monotonicMs + ms;
    for (;;) {
      const next = this.shard.nextDeadlineMs;
      if (next === null || next > end) break;
      this.#jumpTo(Math.max(next, this.now.monotonicMs + 1));
      this.#perform(this.shard.advanceTo(this.now));
      if (this.now.monotonicMs >= end) return;
    }
    this.#jumpTo(end);
  }

  /** Lets as much time pass as the first of these needs for its answer. */
  advanceUntilAnswered(calls: readonly Call<unknown>[]): void {
    for (let passed = 0; passed < 600_000 && calls[0]?.isAnswered !== true; passed += 100) this.advance(100);
  }

  #jumpTo(monotonicMs: number): void {
    const passed = monotonicMs - this.now.monotonicMs;
    this.now = { monotonicMs, wallMs: this.now.wallMs + passed };
  }

  get records(): GroupRecord[] {
    return this.log.map(({ key, value }) => decodeGroupRecord(key, value));
  }

  /** The newest record of the group itself. */
  get groupRecord() {
    const found = this.records.findLast((record) => record.kind === 'groupMetadata');
    assert.ok(found?.kind === 'groupMetadata');
    return found;
  }

  get state(): string | undefined {
    return this.shard.get(GROUP)?.state;
  }

  get unanswered(): number {
    return [...this.#calls.values()].filter(({ isAnswered }) => !isAnswered).length;
  }

  // Requests

  ask<K extends keyof Requests, R extends Response>(kind: K, request: Requests[K], version = NEWEST[kind], clientId = 'client'): Call<R> {
    const ticket = ++this.#lastTicket;
    const call = new Call<R>();
    this.#calls.set(ticket, call as unknown as Call<Response>);
    const client = { clientId, clientHost: '/127.0.0.1', apiVersion: version };
    this.handle({ kind, ticket, request, client } as unknown as ShardEvent);
    return call;
  }

  join(options: JoinOptions = {}): Call<JoinResponse> {
    const { protocols = [['range', subscription('t')]], version, clientId, ...rest } = options;
    const request: JoinRequest = {
      groupId: GROUP, memberId: '', groupInstanceId: null, sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 60_000,
      protocolType: 'consumer', reason: null, ...rest,
      protocols: protocols.map(([name, metadata]) => ({ name, metadata })),
    };
    return this.ask('join', request, version, clientId);
  }

  /** Both joins that a new dynamic member needs; the second one may be parked. */
  joinTwice(options: JoinOptions = {}): Call<JoinResponse> {
    const first = this.join(options);
    assert.equal(first.error, 'MEMBER_ID_REQUIRED');
    return this.join({ ...options, memberId: first.response.memberId });
  }

  sync(member: Joined, assignments: Record<string, string> = {}, options: Partial<SyncRequest> = {}): Call<SyncResponse> {
    return this.ask('sync', {
      groupId: GROUP, ...member, groupInstanceId: null, protocolType: 'consumer', protocolName: 'range',
      assignments: Object.entries(assignments).map(([memberId, text]) => ({ memberId, assignment: Buffer.from(text) })),
      ...options,
    });
  }

  heartbeat(member: Joined, groupInstanceId: string | null = null): string {
    return this.ask<'heartbeat', HeartbeatResponse>('heartbeat', { groupId: GROUP, ...member, groupInstanceId }).error;
  }

  leave(...members: readonly Partial<LeavingMember>[]): Call<LeaveResponse> {
    return this.ask('leave', {
      groupId: GROUP,
      members: members.map((member) => ({ memberId: '', groupInstanceId: null, reason: null, ...member })),
    });
  }

  commit(offsets: Record<string, number>, options: Partial<CommitRequest> & { version?: number; topicId?: string; metadata?: string | null } = {}): Call<CommitResponse> {
    const { version, topicId = ZERO_UUID, metadata = null, ...rest } = options;
    const topics = Object.entries(offsets).map(([place, offset]) => {
      const [name, index] = place.split('-') as [string, string];
      const partition = { partitionIndex: Number(index), committedOffset: BigInt(offset), committedLeaderEpoch: -1, committedMetadata: metadata };
      return { name, topicId, partitions: [partition] };
    });
    return this.ask('commitOffsets', {
      groupId: GROUP, memberId: '', generationId: -1, groupInstanceId: null, retentionTimeMs: -1n, topics, ...rest,
    }, version);
  }

  /** Offsets as `topic-partition` to number, -1 where there is none. Null topics: all. */
  offsets(places: readonly string[] | null, { requireStable = false, topicId = ZERO_UUID } = {}): Record<string, number> | null {
    const call = this.fetch(places, { requireStable, topicId });
    if (!call.isAnswered) return null;
    return shown(call.response);
  }

  fetch(places: readonly string[] | null, { requireStable = false, topicId = ZERO_UUID } = {}): Call<FetchOffsetsResponse> {
    const topics = places?.map((place) => {
      const [name, index] = place.split('-') as [string, string];
      return { name, topicId, partitionIndexes: [Number(index)] };
    });
    return this.ask('fetchOffsets', { groupId: GROUP, topics: topics ?? null, requireStable });
  }

  deleteOffsets(...places: string[]): Call<DeleteOffsetsResponse> {
    const topics = places.map((place) => {
      const [name, index] = place.split('-') as [string, string];
      return { name, partitions: [{ partitionIndex: Number(index) }] };
    });
    return this.ask('deleteOffsets', { groupId: GROUP, topics });
  }

  deleteGroups(...ids: string[]): Call<readonly DeletedGroup[]> {
    return this.ask('deleteGroups', ids);
  }

  // Whole stories

  /** A stable group of dynamic members; the first one leads. */
  stableGroup(count = 2, options: JoinOptions = {}): Joined[] {
    const calls = Array.from({ length: count }, () => this.joinTwice(options));
    this.advanceUntilAnswered(calls);
    const members = calls.map((call) => {
      assert.equal(call.error, 'NONE');
      return { memberId: call.response.memberId, generationId: call.response.generationId };
    });
    const assignments = Object.fromEntries(members.map(({ memberId }, at) => [memberId, `part ${at}`]));
    const protocolType = options.protocolType ?? 'consumer';
    const protocolName = options.protocols?.[0]?.[0] ?? 'range';
    for (const [at, member] of members.entries()) {
      assert.equal(this.sync(member, at === 0 ? assignments : {}, { protocolType, protocolName }).error, 'NONE');
    }
    assert.equal(this.state, 'Stable');
    return members;
  }
}

export function shown({ topics }: FetchOffsetsResponse): Record<string, number> {
  return Object.fromEntries(topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, committedOffset }) => [`${name}-${partitionIndex}`, Number(committedOffset)] as const)));
}
