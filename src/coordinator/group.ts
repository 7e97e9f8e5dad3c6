// A classic group: its members, its state, and the rules that hold between them. Nothing here answers, writes or waits.
import { type Member, type Ticket } from './member.js';
import { type Protocol } from './requests.js';
import { subscribedTopicsOf } from './subscription.js';
import { Timer } from './timer-queue.js';

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead';

const statesBefore: Readonly<Record<GroupState, readonly GroupState[]>> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Stable', 'CompletingRebalance', 'Empty'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
  Dead: ['Empty', 'PreparingRebalance', 'CompletingRebalance', 'Stable'],
};

/** What a timer of a group is about. */
export type Task =
  /** A member, or one that was merely given an id, has not been heard of for too long. */
  | { readonly kind: 'session'; readonly group: Group; readonly memberId: string }
  /** The first rebalance has waited for more members. */
  | { readonly kind: 'initialJoin'; readonly group: Group; readonly delayMs: number; readonly remainingMs: number }
  /** A rebalance has waited for its members long enough. */
  | { readonly kind: 'join'; readonly group: Group }
  /** So has the distribution of assignments. */
  | { readonly kind: 'sync'; readonly group: Group; readonly generationId: number };

/** What all groups together take. */
export interface Usage {
  groups: number;
  memberBytes: number;
}

/** Consumers say in their metadata which topics they read. All other types are opaque altogether. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer';

export class Group {
  readonly id: string;
  #state: GroupState;
  #previousState: GroupState = 'Dead';
  /** Null: from a record that does not say. */
  stateSinceMs: number | null;
  generationId = 0;
  protocolType: string | null = null;
  protocolName: string | null = null;
  leaderId: string | null = null;
  /** In the order in which they came. */
  readonly members = new Map<string, Member>();
  readonly staticMembers = new Map<string, string>();
  /** Ids that were given out and have not joined yet, with their timers. */
  readonly pendingMembers = new Map<string, Timer<Task>>();
  /** Members that have not asked for the assignment of this generation. */
  readonly pendingSync = new Set<string>();
  readonly #supporters = new Map<string, number>();
  #awaitingJoin = 0;
  /** Null: cannot be known. */
  subscribedTopics: ReadonlySet<string> | null = null;
  /** Someone came while the first rebalance was waiting, so others may too. */
  hasNewMember = false;
  readonly joinTimer: Timer<Task>;
  readonly syncTimer: Timer<Task>;
  /** Something about it is in the log, so that it exists for everybody. */
  isDurable = false;
  writesUnderway = 0;
  /** The generation whose assignment is being written. */
  storingGeneration: number | null = null;
  readonly #usage: Usage;

  constructor(id: string, state: 'Empty' | 'Stable', sinceMs: number | null, usage: Usage) {
    this.id = id;
    this.#usage = usage;
    this.#state = state;
    this.stateSinceMs = sinceMs;
    this.joinTimer = new Timer<Task>({ kind: 'join', group: this });
    this.syncTimer = new Timer<Task>({ kind: 'sync', group: this, generationId: 0 });
  }

  get state(): GroupState {
    return this.#state;
  }

  get previousState(): GroupState {
    return this.#previousState;
  }

  moveTo(state: GroupState, nowMs: number): void {
    if (!statesBefore[state].includes(this.#state)) {
      throw new Error(`group ${this.id} cannot go from ${this.#state} to ${state}`);
    }
    this.#previousState = this.#state;
    this.#state = state;
    this.stateSinceMs = nowMs;
  }

  get canRebalance(): boolean {
    return statesBefore.PreparingRebalance.includes(this.#state);
  }

  get usesConsumerProtocol(): boolean {
    return this.protocolType === CONSUMER_PROTOCOL_TYPE;
  }

  // Members

  get awaitingJoin(): number {
    return this.#awaitingJoin;
  }

  get hasAllMembersJoined(): boolean {
    return this.#awaitingJoin === this.members.size && this.pendingMembers.size === 0;
  }

  isLeader(memberId: string): boolean {
    return this.leaderId === memberId;
  }

  add(member: Member, protocolType: string): void {
    const { memberId, groupInstanceId } = member;
    if (this.members.has(memberId)) throw new Error(`group ${this.id} has member ${memberId} already`);
    if (groupInstanceId !== null) {
      if (this.staticMembers.has(groupInstanceId)) throw new Error(`group ${this.id} has instance ${groupInstanceId} already`);
      this.staticMembers.set(groupInstanceId, memberId);
    }
    if (this.members.size === 0) this.protocolType = protocolType;
    this.leaderId ??= memberId;
    this.members.set(memberId, member);
    this.#countSupport(member, 1);
    this.#usage.memberBytes += member.bytes;
    if (member.joinTicket !== null) this.#awaitingJoin += 1;
  }

  /** The member's waiting requests must have been answered. Its timer is the caller's to cancel. */
  remove(member: Member): void {
    if (member.joinTicket !== null || member.syncTicket !== null) throw new Error(`${member.memberId} still waits for an answer`);
    if (!this.members.delete(member.memberId)) return;
    this.#countSupport(member, -1);
    this.#usage.memberBytes -= member.bytes;
    if (member.groupInstanceId !== null) this.staticMembers.delete(member.groupInstanceId);
    this.pendingSync.delete(member.memberId);
    if (this.isLeader(member.memberId)) this.leaderId = this.members.keys().next().value ?? null;
  }

  /** Puts a member in the place of another one with the same instance id. */
  replace(old: Member, successor: Member): void {
    const wasLeader = this.isLeader(old.memberId);
    // Not by way of `remove`, which would elect another leader.
    if (wasLeader) this.leaderId = successor.memberId;
    this.remove(old);
    this.add(successor, this.protocolType ?? '');
  }

  setJoinTicket(member: Member, ticket: Ticket | null): void {
    this.#awaitingJoin += Number(ticket !== null) - Number(member.joinTicket !== null);
    member.joinTicket = ticket;
  }

  setProtocols(member: Member, protocols: readonly Protocol[]): void {
    this.#countSupport(member, -1);
    this.#usage.memberBytes -= member.bytes;
    member.protocols = protocols;
    this.#usage.memberBytes += member.bytes;
    this.#countSupport(member, 1);
  }

  setAssignment(member: Member, assignment: Buffer): void {
    this.#usage.memberBytes += assignment.length - member.assignment.length;
    member.assignment = assignment;
  }

  #countSupport(member: Member, change: 1 | -1): void {
    for (const { name } of member.protocols) {
      const count = (this.#supporters.get(name) ?? 0) + change;
      if (count === 0) this.#supporters.delete(name);
      else this.#supporters.set(name, count);
    }
  }

  get rebalanceTimeoutMs(): number {
    let longest = 0;
    for (const { rebalanceTimeoutMs } of this.members.values()) longest = Math.max(longest, rebalanceTimeoutMs);
    return longest;
  }

  /** Makes sure that the leader is one of those who have joined. False: nobody has. */
  electLeaderAmongJoined(): boolean {
    if (this.leaderId === null) return false;
    const leader = this.members.get(this.leaderId);
    if (leader !== undefined && leader.joinTicket !== null) return true;
    for (const { memberId, joinTicket } of this.members.values()) {
      if (joinTicket === null) continue;
      this.leaderId = memberId;
      return true;
    }
    return false;
  }

  // Protocols

  /** Whether someone who supports these could be a member. */
  supports(protocolType: string, protocols: readonly Protocol[]): boolean {
    if (this.#state === 'Empty') return protocolType !== '' && protocols.length > 0;
    return this.protocolType === protocolType && protocols.some(({ name }) => this.#isSupportedByAll(name));
  }

  #isSupportedByAll(name: string): boolean {
    return (this.#supporters.get(name) ?? 0) === this.members.size;
  }

  /** Each member votes for what it wants most among what all support. */
  selectProtocol(): string {
    const votes = new Map<string, number>();
    for (const { memberId, protocols } of this.members.values()) {
      const choice = protocols.find(({ name }) => this.#isSupportedByAll(name));
      if (choice === undefined) throw new Error(`member ${memberId} of group ${this.id} supports none of the common protocols`);
      votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1);
    }
    let chosen: string | undefined;
    for (const [name, count] of votes) {
      if (chosen === undefined || count > (votes.get(chosen) as number)) chosen = name;
    }
    if (chosen === undefined) throw new Error(`group ${this.id} has no members to vote`);
    return chosen;
  }

  startNextGeneration(nowMs: number): void {
    this.generationId += 1;
    this.protocolName = this.members.size === 0 ? null : this.selectProtocol();
    this.subscribedTopics = subscribedTopicsOf(this);
    this.moveTo(this.members.size === 0 ? 'Empty' : 'CompletingRebalance', nowMs);
    this.pendingSync.clear();
  }

  isSubscribedTo(topic: string): boolean {
    return this.subscribedTopics?.has(topic) ?? this.usesConsumerProtocol;
  }
}
