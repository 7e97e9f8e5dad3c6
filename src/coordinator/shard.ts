// The state machine of one partition of __consumer_offsets: its groups, their offsets, their timers. It takes events and
// leaves effects; it never looks at a clock, never waits, never writes by itself.
import { errorCode } from '../protocol/errors.js';
import { ZERO_UUID } from '../protocol/uuid.js';
import { NONE } from './errors.js';
import { Group, type Task, type Usage } from './group.js';
import { groupTombstone } from './group-records.js';
import { type Groups, joinGroup } from './join.js';
import { type Effect, type Machine, type Response, Write } from './machine.js';
import { type Ticket } from './member.js';
import { OffsetStore } from './offset-store.js';
import {
  type OffsetAt, commitOffsets, deleteOffsets, expiredOffsets, fetchOffsets, placesOf, removeOffsets,
} from './offsets.js';
import { type CoordinatorConfig, type EndedTransaction, type Environment, type Instant, type Logger, type RecordBytes, type StoredRecord } from './ports.js';
import { heartbeat, leaveGroup } from './presence.js';
import {
  answerJoin, answerSync, completeJoin, dropPendingMember, firstJoinWaited, joinError, prepareRebalance, restartSession,
  sessionEnded, syncError, syncWaited,
} from './rebalance.js';
import { type OpenTransactions, replay } from './replay.js';
import {
  type Client, type CommitRequest, type DeletedGroup, type DeleteOffsetsRequest, type FetchOffsetsRequest,
  type HeartbeatRequest, type JoinRequest, type LeaveRequest, type SyncRequest,
} from './requests.js';
import { syncGroup } from './sync.js';
import { type Timer, TimerQueue } from './timer-queue.js';

export interface DeletedTopic {
  readonly id: string;
  readonly name: string;
}

/** What is asked, by the kind of event that asks it. */
export interface Requests {
  readonly join: JoinRequest;
  readonly sync: SyncRequest;
  readonly heartbeat: HeartbeatRequest;
  readonly leave: LeaveRequest;
  readonly commitOffsets: CommitRequest;
  readonly fetchOffsets: FetchOffsetsRequest;
  readonly deleteOffsets: DeleteOffsetsRequest;
  readonly deleteGroups: readonly string[];
}

export type RequestEvent = {
  readonly [K in keyof Requests]: {
    readonly kind: K;
    readonly ticket: Ticket;
    readonly request: Requests[K];
    readonly client: Client;
  };
}[keyof Requests];

export type ShardEvent =
  | RequestEvent
  /** An append is durable, code 0, or has failed. */
  | { readonly kind: 'settled'; readonly write: number; readonly code: number }
  /** All that was in the log has been replayed. */
  | { readonly kind: 'loaded' }
  /** `isCertain`: offsets that do not say to which topic of the name they belong go as well. */
  | { readonly kind: 'topicsDeleted'; readonly topics: readonly DeletedTopic[]; readonly isCertain: boolean }
  | { readonly kind: 'expire' }
  /** Everybody who waits is told to look for another coordinator. */
  | { readonly kind: 'unload' };

export interface ShardOptions extends Environment {
  /** Shared by all shards, whose bounds are common. */
  readonly usage: Usage;
}

export class Shard implements Machine, Groups {
  readonly config: CoordinatorConfig;
  readonly log: Logger;
  readonly #options: ShardOptions;
  readonly #groups = new Map<string, Group>();
  /** Groups that are gone as soon as their tombstones are durable. Until then they are still seen. */
  readonly #leaving = new Map<string, Group>();
  readonly #offsets = new OffsetStore();
  readonly #transactions: OpenTransactions = new Map();
  readonly #timers = new TimerQueue<Task>();
  readonly #writes = new Map<number, { readonly write: Write; readonly group: Group }>();
  #lastWriteId = 0;
  /** The one that settles last, if any is under way. */
  #newestWrite: Write | undefined;
  #effects: Effect[] = [];
  #now: Instant = { monotonicMs: 0, wallMs: 0 };

  constructor(options: ShardOptions) {
    this.#options = options;
    this.config = options.config;
    this.log = options.log;
  }

  // Events

  replay(record: StoredRecord | EndedTransaction, nowMs: number): boolean {
    return replay({ groups: this.#groups, offsets: this.#offsets, transactions: this.#transactions, usage: this.#options.usage, nowMs }, record);
  }

  /** Timers do not fire here, however late an event comes: see `advanceTo`. */
  handle(event: ShardEvent, at: Instant): Effect[] {
    this.#now = at;
    this.#dispatch(event);
    return this.takeEffects();
  }

  /** Fires what was due by `dueMs`. To be called when all events that came before then have been handled. */
  advanceTo(at: Instant, dueMs = at.monotonicMs): Effect[] {
    this.#now = at;
    // What is set from here on waits for the next call, or timers without a delay would go on for ever.
    const last = this.#timers.lastOrder;
    for (let timer = this.#timers.takeDue(dueMs, last); timer !== undefined; timer = this.#timers.takeDue(dueMs, last)) {
      this.#fire(timer.task);
    }
    return this.takeEffects();
  }

  get nextDeadlineMs(): number | null {
    return this.#timers.nextDeadlineMs;
  }

  /** What is still to be done after an event that threw: that is a bug, but others must not wait for ever because of it. */
  takeEffects(): Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #dispatch(event: ShardEvent): void {
    switch (event.kind) {
      case 'join':
        return joinGroup(this, this, event.request, event.client, event.ticket);
      case 'sync':
        return syncGroup(this, this.get(event.request.groupId), event.request, event.ticket);
      case 'heartbeat':
        return this.reply(event.ticket, { errorCode: heartbeat(this, this.get(event.request.groupId), event.request) });
      case 'leave':
        return leaveGroup(this, this.get(event.request.groupId), event.request, event.ticket);
      case 'commitOffsets':
        return commitOffsets(this, this, this.#offsets, event.request, event.client, event.ticket);
      case 'fetchOffsets':
        return this.#fetchOffsets(event.request, event.ticket);
      case 'deleteOffsets':
        return deleteOffsets(this, this.get(event.request.groupId), this.#offsets, event.request, event.ticket);
      case 'deleteGroups':
        return this.#deleteGroups(event.request, event.ticket);
      case 'settled':
        return this.#settle(event.write, event.code);
      case 'loaded':
        return this.#loaded();
      case 'topicsDeleted':
        return this.#topicsDeleted(event.topics, event.isCertain);
      case 'expire':
        return this.#expire();
      case 'unload':
        for (const group of [...this.#groups.values()]) this.abandon(group, errorCode('NOT_COORDINATOR'));
    }
  }

  #fire(task: Task): void {
    switch (task.kind) {
      case 'session':
        return sessionEnded(this, task.group, task.memberId);
      case 'initialJoin':
        return firstJoinWaited(this, task.group, task.delayMs, task.remainingMs);
      case 'join':
        completeJoin(this, task.group);
        return;
      case 'sync':
        return syncWaited(this, task.group, task.generationId);
    }
  }

  // What the parts of the machine use

  get now(): Instant {
    return this.#now;
  }

  uuid(): string {
    return this.#options.uuid();
  }

  reply(ticket: Ticket, response: Response): void {
    this.#effects.push({ kind: 'reply', ticket, response });
  }

  append(group: Group, records: readonly RecordBytes[]): Write {
    const write = new Write(++this.#lastWriteId);
    group.writesUnderway += 1;
    this.#writes.set(write.id, { write, group });
    this.#newestWrite = write;
    this.#effects.push({ kind: 'append', write: write.id, records });
    return write;
  }

  schedule(timer: Timer<Task>, afterMs: number): void {
    this.#timers.schedule(timer, this.#now.monotonicMs + Math.max(afterMs, 0));
  }

  cancel(timer: Timer<Task>): void {
    this.#timers.cancel(timer);
  }

  get(id: string): Group | undefined {
    return this.#groups.get(id);
  }

  create(id: string): Group | null {
    const { usage } = this.#options;
    if (usage.groups >= this.config.maxGroups) return null;
    const group = new Group(id, 'Empty', this.#now.wallMs, usage);
    this.#put(group);
    return group;
  }

  hasRoomFor(memberBytes: number): boolean {
    return this.#options.usage.memberBytes + memberBytes <= this.config.maxMemberBytes;
  }

  abandon(group: Group, code: number): void {
    for (const member of [...group.members.values()]) {
      this.cancel(member.session);
      answerJoin(this, group, member, joinError(code, member.memberId));
      answerSync(this, member, syncError(code));
      group.remove(member);
    }
    this.#stopTimers(group);
    if (group.state !== 'Dead') group.moveTo('Dead', this.#now.wallMs);
    if (this.#groups.get(group.id) === group) this.#take(group);
  }

  #stopTimers(group: Group): void {
    for (const memberId of [...group.pendingMembers.keys()]) dropPendingMember(this, group, memberId);
    this.cancel(group.joinTimer);
    this.cancel(group.syncTimer);
  }

  #take(group: Group): void {
    this.#groups.delete(group.id);
    this.#options.usage.groups -= 1;
  }

  #settle(id: number, code: number): void {
    const found = this.#writes.get(id);
    if (found === undefined) throw new Error(`write ${id} is not under way`);
    this.#writes.delete(id);
    if (this.#newestWrite === found.write) this.#newestWrite = undefined;
    found.group.writesUnderway -= 1;
    if (code === NONE) found.group.isDurable = true;
    found.write.settle(code);
  }

  /** Calls back when all that is under way now has arrived or failed. */
  #afterWrites(callback: () => void): void {
    if (this.#newestWrite === undefined) callback();
    else this.#newestWrite.onSettled(callback);
  }

  // Offsets and whole groups

  #fetchOffsets(request: FetchOffsetsRequest, ticket: Ticket): void {
    const answer = () => this.reply(ticket, fetchOffsets(this.#offsets, request));
    if (request.requireStable) this.#afterWrites(answer);
    else answer();
  }

  #deleteGroups(groupIds: readonly string[], ticket: Ticket): void {
    const results = new Map<string, DeletedGroup>();
    for (const groupId of groupIds) {
      const group = this.#groups.get(groupId);
      const problem = group === undefined ? errorCode('GROUP_ID_NOT_FOUND')
        : group.state !== 'Empty' ? errorCode('NON_EMPTY_GROUP')
        : NONE;
      results.set(groupId, { groupId, errorCode: problem });
      if (group === undefined || problem !== NONE) continue;
      this.log.info(`group ${groupId}: deleted on request`);
      this.#remove(group, placesOf(this.#offsets, groupId)).onSettled((code) => {
        results.set(groupId, { groupId, errorCode: code });
      });
    }
    this.#afterWrites(() => this.reply(ticket, [...results.values()]));
  }

  /** The group is gone at once for those who would join it, and for everybody when that is durable. */
  #remove(group: Group, places: readonly OffsetAt[]): Write {
    this.#stopTimers(group);
    this.#take(group);
    this.#leaving.set(group.id, group);
    const write = removeOffsets(this, this.#offsets, group, places, [groupTombstone(group.id)]);
    write.onSettled((code) => {
      const hasSuccessor = this.#groups.has(group.id) || this.#leaving.get(group.id) !== group;
      if (this.#leaving.get(group.id) === group) this.#leaving.delete(group.id);
      if (code !== NONE && !hasSuccessor) this.#put(group);
      this.#adopt(group.id);
    });
    return write;
  }

  #put(group: Group): void {
    this.#groups.set(group.id, group);
    this.#options.usage.groups += 1;
  }

  /** Offsets without a group would stay for ever. They are there when a group was deleted and its offsets were not. */
  #adopt(groupId: string): void {
    if (this.#groups.has(groupId) || this.#leaving.has(groupId) || this.#offsets.ofGroup(groupId).size === 0) return;
    const group = new Group(groupId, 'Empty', this.#now.wallMs, this.#options.usage);
    group.isDurable = true;
    this.#put(group);
  }

  #topicsDeleted(topics: readonly DeletedTopic[], isCertain: boolean): void {
    for (const groupId of [...this.#offsets.groupIds]) {
      const group = this.#groups.get(groupId);
      if (group === undefined) continue;
      const places: OffsetAt[] = [];
      for (const { id, name } of topics) {
        for (const [partition, { latest, isUnstable }] of this.#offsets.ofGroup(groupId).get(name) ?? []) {
          // What a transaction that never ended had in store goes with the topic, by its name.
          const isOfTopic = latest === null ? isUnstable && isCertain : latest.topicId === id || (isCertain && latest.topicId === ZERO_UUID);
          if (isOfTopic) places.push({ topic: name, partition });
        }
      }
      if (places.length > 0) removeOffsets(this, this.#offsets, group, places);
    }
  }

  #expire(): void {
    for (const group of [...this.#groups.values()]) {
      const { expired, isAll } = expiredOffsets(this, this.#offsets, group);
      const isUnused = isAll && group.state === 'Empty' && group.pendingMembers.size === 0 && group.writesUnderway === 0;
      if (isUnused) this.#remove(group, expired);
      else if (expired.length > 0) removeOffsets(this, this.#offsets, group, expired);
    }
  }

  #loaded(): void {
    for (const groupId of this.#offsets.groupIds) this.#adopt(groupId);
    for (const group of this.#groups.values()) {
      for (const member of group.members.values()) restartSession(this, member);
      if (group.members.size > this.config.maxGroupSize) {
        prepareRebalance(this, group, `loaded with ${group.members.size} members, more than may be`);
      }
    }
  }

  // For those who look

  /** A group as everybody may see it. */
  seen(groupId: string): Group | undefined {
    const group = this.#groups.get(groupId);
    return group !== undefined && isKnown(group) ? group : this.#leaving.get(groupId);
  }

  *allSeen(): Iterable<Group> {
    for (const group of this.#groups.values()) if (isKnown(group)) yield group;
    for (const group of this.#leaving.values()) {
      const successor = this.#groups.get(group.id);
      if (successor === undefined || !isKnown(successor)) yield group;
    }
  }

  /** Topics by id to which offsets belong. */
  topicsOfOffsets(): Map<string, string> {
    const topics = new Map<string, string>();
    for (const groupId of this.#offsets.groupIds) {
      for (const [name, cells] of this.#offsets.ofGroup(groupId)) {
        for (const { latest } of cells.values()) if (latest !== null && latest.topicId !== ZERO_UUID) topics.set(latest.topicId, name);
      }
    }
    return topics;
  }

  /** What must come to rest, for tests and metrics. */
  get counts() {
    return { groups: this.#groups.size, timers: this.#timers.size, writes: this.#writes.size, offsets: this.#offsets.size };
  }
}

/** On disk, or with members who have been told that they are in it: a first join is answered before the record of the empty group is durable. */
function isKnown(group: Group): boolean {
  return group.isDurable || group.generationId > 0;
}
