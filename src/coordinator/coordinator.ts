// The shell around the shards: finds the shard of a group, loads shards from the log, carries out their effects and gives
// each request its answer. It keeps no state of groups.
import { errorCode } from '../protocol/errors.js';
import { NONE, codeForFailedAppend } from './errors.js';
import { type Group, type Usage } from './group.js';
import { type Effect, type Response } from './machine.js';
import { EMPTY } from './member.js';
import { partitionOf } from './partition-of.js';
import { type Clock, type Environment, type Instant, type OffsetsLog, type TopicCatalog } from './ports.js';
import { joinError, syncError } from './rebalance.js';
import {
  type Client, type CommitRequest, type CommitResponse, type DeletedGroup, type DeleteOffsetsRequest,
  type DeleteOffsetsResponse, type DescribedGroup, type FetchOffsetsRequest, type FetchOffsetsResponse,
  type HeartbeatRequest, type HeartbeatResponse, type JoinRequest, type JoinResponse, type LeaveRequest,
  type LeaveResponse, type ListedGroup, type ListRequest, type SyncRequest, type SyncResponse,
} from './requests.js';
import { type DeletedTopic, type RequestEvent, type Requests, Shard, type ShardEvent } from './shard.js';

export interface GroupCoordinatorOptions extends Environment {
  readonly offsetsLog: OffsetsLog;
  readonly topics: TopicCatalog;
  readonly clock: Clock;
  /** Called when a timer was set that is due before all others, in monotonic time. */
  readonly onDeadline?: (deadlineMs: number) => void;
}

/** Who asks. */
export type Caller = Client;

interface Partition {
  readonly index: number;
  readonly shard: Shard;
  readonly writesUnderway: Set<Promise<void>>;
  isLoaded: boolean;
}

const LOADS_AT_ONCE = 4;
/** Their answers wait for whatever is being written when they come; those of others for what they write. */
const BEHIND_ALL_WRITES: ReadonlySet<keyof Requests> = new Set(['fetchOffsets', 'deleteGroups']);
const GROUP_ID_NOT_FOUND_SINCE = 6;
const GROUP_TYPE = 'classic';

export class GroupCoordinator {
  readonly #options: GroupCoordinatorOptions;
  readonly #partitions = new Map<number, Partition>();
  readonly #waiting = new Map<number, (response: Response) => void>();
  readonly #usage: Usage = { groups: 0, memberBytes: 0 };
  #lastTicket = 0;
  #isClosed = false;

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options;
  }

  // Partitions of the log

  /** Null: there is no log yet. */
  partitionFor(groupId: string): number | null {
    const { partitionCount } = this.#options.offsetsLog;
    return partitionCount === 0 ? null : partitionOf(groupId, partitionCount);
  }

  /**
   * Takes over the groups of partitions, reading some of them at a time. Those who ask meanwhile are told to wait. Rejects
   * with the first failure, when all others are done; what has failed may be tried again.
   */
  async loadAll(indexes: Iterable<number>): Promise<void> {
    const left = [...indexes].flatMap((index) => this.#begin(index) ?? []);
    const failures: unknown[] = [];
    const loadNext = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        await this.#load(next).catch((error: unknown) => failures.push(error));
      }
    };
    await Promise.all(Array.from({ length: LOADS_AT_ONCE }, loadNext));
    if (failures.length > 0) throw failures[0];
  }

  /** Null: it is loading or loaded already. */
  #begin(index: number): Partition | null {
    if (this.#isClosed || this.#partitions.has(index)) return null;
    const partition = { index, shard: new Shard({ ...this.#options, usage: this.#usage }), writesUnderway: new Set<Promise<void>>(), isLoaded: false };
    this.#partitions.set(index, partition);
    return partition;
  }

  async #load(partition: Partition): Promise<void> {
    try {
      const isComplete = await this.#replayInto(partition);
      if (!isComplete) return;
    } catch (error) {
      this.#options.log.error(`groups of partition ${partition.index} could not be loaded: ${String(error)}`);
      if (this.#partitions.get(partition.index) === partition) this.unload(partition.index);
      throw error;
    }
    partition.isLoaded = true;
    this.#handle(partition, { kind: 'loaded' }, this.#now());
    this.#forgetLostTopics(partition);
  }

  async #replayInto(partition: Partition): Promise<boolean> {
    const { offsetsLog, log, clock } = this.#options;
    let unknown = 0;
    if (this.#partitions.get(partition.index) !== partition) return false;
    for await (const records of offsetsLog.read(partition.index)) {
      if (this.#partitions.get(partition.index) !== partition) return false;
      for (const record of records) if (!partition.shard.replay(record, clock.wallMs())) unknown += 1;
    }
    if (this.#partitions.get(partition.index) !== partition) return false;
    const { groups, offsets } = partition.shard.counts;
    if (unknown > 0) log.warn(`partition ${partition.index} of the groups holds ${unknown} records of kinds unknown here`);
    if (groups > 0) log.info(`partition ${partition.index}: loaded ${groups} groups with ${offsets} offsets`);
    return true;
  }

  /** A topic may have been deleted just before a crash, and its offsets not. */
  #forgetLostTopics(partition: Partition): void {
    const lost: DeletedTopic[] = [];
    for (const [id, name] of partition.shard.topicsOfOffsets()) {
      if (this.#options.topics.topicName(id) === null) lost.push({ id, name });
    }
    if (lost.length > 0) this.#handle(partition, { kind: 'topicsDeleted', topics: lost, isCertain: false }, this.#now());
  }

  /** Gives up the groups of a partition. */
  unload(index: number): void {
    const partition = this.#partitions.get(index);
    if (partition === undefined) return;
    this.#partitions.delete(index);
    this.#handle(partition, { kind: 'unload' }, this.#now());
  }

  /** Everybody who waits is sent away; what is being written is still answered. */
  close(): void {
    this.#isClosed = true;
    for (const index of [...this.#partitions.keys()]) this.unload(index);
  }

  topicsDeleted(topics: readonly DeletedTopic[]): void {
    for (const partition of this.#loaded()) {
      this.#handle(partition, { kind: 'topicsDeleted', topics, isCertain: true }, this.#now());
    }
  }

  /** Forgets offsets that have been kept long enough: one partition at a time, so that requests come between. */
  async expireOffsets(turn: () => Promise<void>): Promise<void> {
    for (const partition of this.#loaded()) {
      if (this.#partitions.get(partition.index) === partition) this.#handle(partition, { kind: 'expire' }, this.#now());
      await turn();
    }
  }

  #loaded(): Partition[] {
    return [...this.#partitions.values()].filter(({ isLoaded }) => isLoaded);
  }

  // Time

  /** Fires timers that were due by then, in monotonic time: when all requests that came before have been handed in. */
  advanceTo(dueMs: number): void {
    for (const partition of this.#loaded()) {
      const deadlineMs = partition.shard.nextDeadlineMs;
      if (deadlineMs === null || deadlineMs > dueMs) continue;
      this.#run(partition, () => partition.shard.advanceTo(this.#now(), dueMs));
    }
  }

  /** In monotonic time; null: nothing is waited for. */
  get nextDeadlineMs(): number | null {
    let next: number | null = null;
    for (const { shard } of this.#partitions.values()) {
      const deadlineMs = shard.nextDeadlineMs;
      if (deadlineMs !== null && (next === null || deadlineMs < next)) next = deadlineMs;
    }
    return next;
  }

  #now(): Instant {
    const { clock } = this.#options;
    return { monotonicMs: clock.monotonicMs(), wallMs: Math.floor(clock.wallMs()) };
  }

  // Effects

  #handle(partition: Partition, event: ShardEvent, at: Instant): void {
    this.#run(partition, () => partition.shard.handle(event, at));
  }

  /** A bug that one group brings to light must not take the others with it. Returns what is being written. */
  #run(partition: Partition, step: () => readonly Effect[]): Promise<void>[] {
    try {
      return this.#perform(partition, step());
    } catch (error) {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#options.log.error(`groups of partition ${partition.index}: ${detail}`);
      return this.#perform(partition, partition.shard.takeEffects());
    }
  }

  #perform(partition: Partition, effects: readonly Effect[]): Promise<void>[] {
    const writes: Promise<void>[] = [];
    for (const effect of effects) {
      if (effect.kind === 'append') writes.push(this.#write(partition, effect));
      else this.#answer(effect.ticket, effect.response);
    }
    const deadlineMs = partition.shard.nextDeadlineMs;
    if (deadlineMs !== null) this.#options.onDeadline?.(deadlineMs);
    return writes;
  }

  #write(partition: Partition, effect: Effect & { kind: 'append' }): Promise<void> {
    const write = this.#append(partition, effect).finally(() => partition.writesUnderway.delete(write));
    partition.writesUnderway.add(write);
    return write;
  }

  async #append(partition: Partition, { write, records }: Effect & { kind: 'append' }): Promise<void> {
    let code = NONE;
    try {
      await this.#options.offsetsLog.append(partition.index, records);
    } catch (error) {
      this.#options.log.error(`partition ${partition.index} of the groups could not be written: ${String(error)}`);
      code = codeForFailedAppend(error);
    }
    this.#handle(partition, { kind: 'settled', write, code }, this.#now());
  }

  /** What is being written cannot be called back: it counts when it has arrived, whatever was answered. */
  async #answerInTime(ticket: number, writes: readonly Promise<void>[], late: () => Response): Promise<void> {
    const timer = setTimeout(() => this.#answer(ticket, late()), this.#options.config.writeTimeoutMs).unref();
    for (const write of writes) await write;
    clearTimeout(timer);
  }

  #answer(ticket: number, response: Response): void {
    const resolve = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    resolve?.(response);
  }

  /** The partition that answers for a group, or the error that does. */
  #partitionOf(groupId: string): Partition | number {
    if (this.#isClosed) return errorCode('COORDINATOR_NOT_AVAILABLE');
    const index = this.partitionFor(groupId);
    const partition = index === null ? undefined : this.#partitions.get(index);
    if (partition === undefined) return errorCode('NOT_COORDINATOR');
    return partition.isLoaded ? partition : errorCode('COORDINATOR_LOAD_IN_PROGRESS');
  }

  /** `late`: the answer where what has to be written is not there in time. */
  #ask<K extends keyof Requests>(partition: Partition, kind: K, request: Requests[K], caller: Caller, late: () => Response): Promise<Response> {
    return new Promise((resolve, reject) => {
      const ticket = ++this.#lastTicket;
      this.#waiting.set(ticket, resolve);
      const event = { kind, ticket, request, client: caller } as unknown as RequestEvent;
      const writes = this.#run(partition, () => {
        try {
          // Sessions begin anew when a request is handled, however late that is: who waits for an answer cannot send another sign of life.
          return partition.shard.handle(event, this.#now());
        } catch (error) {
          this.#waiting.delete(ticket);
          reject(error);
          return partition.shard.takeEffects();
        }
      });
      if (!this.#waiting.has(ticket)) return;
      const waitsFor = BEHIND_ALL_WRITES.has(kind) ? [...partition.writesUnderway] : writes;
      if (waitsFor.length > 0) void this.#answerInTime(ticket, waitsFor, late);
    });
  }

  async #route<K extends keyof Requests, R extends Response>(
    groupId: string, kind: K, request: Requests[K], caller: Caller, refuse: (code: number) => R, lateCode = errorCode('COORDINATOR_NOT_AVAILABLE'),
  ): Promise<R> {
    const partition = this.#partitionOf(groupId);
    if (typeof partition === 'number') return refuse(partition);
    return (await this.#ask(partition, kind, request, caller, () => refuse(lateCode))) as R;
  }

  // Requests

  joinGroup(request: JoinRequest, caller: Caller): Promise<JoinResponse> {
    return this.#route(request.groupId, 'join', request, caller, (code) => joinError(code, request.memberId));
  }

  syncGroup(request: SyncRequest, caller: Caller): Promise<SyncResponse> {
    return this.#route(request.groupId, 'sync', request, caller, syncError);
  }

  heartbeat(request: HeartbeatRequest, caller: Caller): Promise<HeartbeatResponse> {
    // A group that is still loading cannot tell; members should not be worried.
    const loading = errorCode('COORDINATOR_LOAD_IN_PROGRESS');
    return this.#route(request.groupId, 'heartbeat', request, caller, (code) => ({ errorCode: code === loading ? NONE : code }));
  }

  leaveGroup(request: LeaveRequest, caller: Caller): Promise<LeaveResponse> {
    return this.#route(request.groupId, 'leave', request, caller, (code) => ({ errorCode: code, members: [] }));
  }

  commitOffsets(request: CommitRequest, caller: Caller): Promise<CommitResponse> {
    return this.#route(request.groupId, 'commitOffsets', request, caller, (code) => ({ errorCode: code, topics: [] }));
  }

  fetchOffsets(request: FetchOffsetsRequest, caller: Caller): Promise<FetchOffsetsResponse> {
    // Java consumers before 3.9 end with an error on any code but this when they ask late, and so Kafka answers with it.
    return this.#route(request.groupId, 'fetchOffsets', request, caller, (code) => ({ errorCode: code, topics: [] }), errorCode('NOT_COORDINATOR'));
  }

  deleteOffsets(request: DeleteOffsetsRequest, caller: Caller): Promise<DeleteOffsetsResponse> {
    return this.#route(request.groupId, 'deleteOffsets', request, caller, (code) => ({ errorCode: code, topics: [] }));
  }

  /** Each group once, in the order of their first mention. */
  async deleteGroups(groupIds: readonly string[], caller: Caller): Promise<DeletedGroup[]> {
    const results = new Map<string, DeletedGroup>();
    const byPartition = new Map<Partition, string[]>();
    for (const groupId of groupIds) {
      if (results.has(groupId)) continue;
      const partition = this.#partitionOf(groupId);
      results.set(groupId, { groupId, errorCode: typeof partition === 'number' ? partition : NONE });
      if (typeof partition === 'number') continue;
      const others = byPartition.get(partition);
      if (others === undefined) byPartition.set(partition, [groupId]);
      else others.push(groupId);
    }
    await Promise.all([...byPartition].map(async ([partition, ids]) => {
      const late = () => ids.map((groupId) => ({ groupId, errorCode: errorCode('COORDINATOR_NOT_AVAILABLE') }));
      const deleted = (await this.#ask(partition, 'deleteGroups', ids, caller, late)) as readonly DeletedGroup[];
      for (const result of deleted) results.set(result.groupId, result);
    }));
    return [...results.values()];
  }

  describeGroups(groupIds: readonly string[], caller: Caller): DescribedGroup[] {
    return groupIds.map((groupId) => {
      const partition = this.#partitionOf(groupId);
      if (typeof partition === 'number') return undescribed(groupId, '', partition, null);
      const group = partition.shard.seen(groupId);
      if (group !== undefined) return describe(group);
      return caller.apiVersion < GROUP_ID_NOT_FOUND_SINCE
        ? undescribed(groupId, 'Dead', NONE, null)
        : undescribed(groupId, 'Dead', errorCode('GROUP_ID_NOT_FOUND'), `Group ${groupId} not found.`);
    });
  }

  listGroups({ statesFilter, typesFilter }: ListRequest): { readonly errorCode: number; readonly groups: readonly ListedGroup[] } {
    if (this.#isClosed) return { errorCode: errorCode('COORDINATOR_NOT_AVAILABLE'), groups: [] };
    const groups: ListedGroup[] = [];
    const states = new Set(statesFilter.map((state) => state.trim().toLowerCase()));
    const isTypeWanted = typesFilter.length === 0 || typesFilter.some((type) => type.toLowerCase() === GROUP_TYPE);
    for (const { shard, isLoaded } of this.#partitions.values()) {
      if (!isLoaded) return { errorCode: errorCode('COORDINATOR_LOAD_IN_PROGRESS'), groups: [] };
      if (!isTypeWanted) continue;
      for (const { id, protocolType, state } of shard.allSeen()) {
        if (states.size > 0 && !states.has(state.toLowerCase())) continue;
        groups.push({ groupId: id, protocolType: protocolType ?? '', groupState: state, groupType: GROUP_TYPE });
      }
    }
    return { errorCode: NONE, groups };
  }

  /** What must come to rest, for tests and metrics. */
  get counts() {
    const sum = { groups: 0, timers: 0, writes: 0, offsets: 0 };
    for (const { shard } of this.#partitions.values()) {
      const { groups, timers, writes, offsets } = shard.counts;
      sum.groups += groups;
      sum.timers += timers;
      sum.writes += writes;
      sum.offsets += offsets;
    }
    return { ...sum, memberBytes: this.#usage.memberBytes, waiting: this.#waiting.size };
  }
}

function undescribed(groupId: string, groupState: string, code: number, errorMessage: string | null): DescribedGroup {
  return { errorCode: code, errorMessage, groupId, groupState, protocolType: '', protocolData: '', members: [] };
}

/** What members say to each other is shown only when it is settled. */
function describe(group: Group): DescribedGroup {
  const isStable = group.state === 'Stable';
  return {
    errorCode: NONE,
    errorMessage: null,
    groupId: group.id,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: isStable ? (group.protocolName ?? '') : '',
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: isStable ? member.metadataFor(group.protocolName) : EMPTY,
      memberAssignment: member.assignment,
    })),
  };
}
