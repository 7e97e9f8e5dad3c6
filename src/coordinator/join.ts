// JoinGroup: how members come into a group, and come back.
import { errorCode } from '../protocol/errors.js';
import { NONE } from './errors.js';
import { type Group, type Task } from './group.js';
import { groupRecord, newGroupRecord } from './group-records.js';
import { type Machine, type Write } from './machine.js';
import { EMPTY, Member, type Ticket, keepProtocols } from './member.js';
import {
  answerJoin, completeJoinIfAllCame, dropMember, dropPendingMember, joinAnswer, joinError, membersForLeader, parkJoin,
  prepareRebalance, rebalanceOrCompleteJoin, restartSession,
} from './rebalance.js';
import { type Client, type JoinRequest, type JoinResponse, type Protocol } from './requests.js';
import { Timer } from './timer-queue.js';
import { memberProblem } from './validate.js';

const KNOWN_MEMBER_ID_SINCE = 4;
const SKIP_ASSIGNMENT_SINCE = 9;

export interface Join {
  readonly request: JoinRequest;
  readonly client: Client;
  readonly ticket: Ticket;
  /** Copied out of the request, each name once. */
  readonly protocols: readonly Protocol[];
}

export interface Groups {
  get(id: string): Group | undefined;
  /** Null: there are too many already. */
  create(id: string): Group | null;
  hasRoomFor(memberBytes: number): boolean;
  /** Takes back a group whose first record could not be written; its members are told the code. */
  abandon(group: Group, code: number): void;
}

function refuse(m: Machine, { ticket }: Join, code: number, memberId: string): null {
  m.reply(ticket, joinError(code, memberId));
  return null;
}

export function joinGroup(m: Machine, groups: Groups, request: JoinRequest, client: Client, ticket: Ticket): void {
  const { groupId, memberId, sessionTimeoutMs } = request;
  const problem = groupId === '' ? 'INVALID_GROUP_ID'
    : sessionTimeoutMs < m.config.minSessionTimeoutMs || sessionTimeoutMs > m.config.maxSessionTimeoutMs ? 'INVALID_SESSION_TIMEOUT'
    : null;
  if (problem !== null) {
    m.reply(ticket, joinError(errorCode(problem), memberId));
    return;
  }
  const join = { request, client, ticket, protocols: keepProtocols(request.protocols) };
  const isNewcomer = memberId === '';
  const known = groups.get(groupId);
  if (known === undefined && !isNewcomer) {
    refuse(m, join, errorCode('UNKNOWN_MEMBER_ID'), memberId);
    return;
  }
  if (known === undefined && (request.protocolType === '' || request.protocols.length === 0)) {
    refuse(m, join, errorCode('INCONSISTENT_GROUP_PROTOCOL'), memberId);
    return;
  }
  const group = isNewcomer && !hasRoom(m, groups, known, join) ? null : (known ?? groups.create(groupId));
  if (group === null) {
    refuse(m, join, errorCode('COORDINATOR_NOT_AVAILABLE'), memberId);
    return;
  }
  const write = accept(m, group, join);
  if (known !== undefined || write !== null) return;
  const created = m.append(group, [newGroupRecord(group)]);
  created.onSettled((code) => {
    if (code === NONE) return;
    m.log.warn(`group ${groupId}: its first record could not be written`);
    // What is on its way behind it may yet bring the group into the log.
    if (group.writesUnderway === 0) groups.abandon(group, code);
  });
}

function hasRoom(m: Machine, groups: Groups, known: Group | undefined, { protocols }: Join): boolean {
  if (known !== undefined && known.pendingMembers.size >= m.config.maxPendingMembersPerGroup) return false;
  return groups.hasRoomFor(protocols.reduce((sum, { name, metadata }) => sum + name.length + metadata.length, 0));
}

function accept(m: Machine, group: Group, join: Join): Write | null {
  const { memberId } = join.request;
  if (!hasSeatFor(m, group, memberId)) {
    dropPendingMember(m, group, memberId);
    const member = group.members.get(memberId);
    if (member !== undefined) dropMember(m, group, member);
    refuse(m, join, errorCode('GROUP_MAX_SIZE_REACHED'), '');
    // It may have been the last one that the others waited for.
    return completeJoinIfAllCame(m, group);
  }
  if (!group.supports(join.request.protocolType, join.protocols)) {
    return refuse(m, join, errorCode('INCONSISTENT_GROUP_PROTOCOL'), memberId);
  }
  return memberId === '' ? joinNewcomer(m, group, join) : joinKnown(m, group, join);
}

/** While a group rebalances, seats go to those who join first, so that a group that is too large shrinks. */
function hasSeatFor(m: Machine, group: Group, memberId: string): boolean {
  const member = group.members.get(memberId);
  if (group.state === 'Empty') return true;
  if (group.state === 'PreparingRebalance') {
    return (member !== undefined && member.joinTicket !== null) || group.awaitingJoin < m.config.maxGroupSize;
  }
  return member !== undefined || group.members.size < m.config.maxGroupSize;
}

function joinNewcomer(m: Machine, group: Group, join: Join): Write | null {
  const { groupInstanceId, sessionTimeoutMs } = join.request;
  const memberId = `${groupInstanceId ?? join.client.clientId}-${m.uuid()}`;
  if (groupInstanceId !== null) {
    const former = group.staticMembers.get(groupInstanceId);
    if (former === undefined) return addMember(m, group, memberId, join);
    return replaceStaticMember(m, group, group.members.get(former) as Member, memberId, join);
  }
  if (join.client.apiVersion < KNOWN_MEMBER_ID_SINCE) return addMember(m, group, memberId, join);
  // A client that gives up while its first join is parked would leave a member behind that nobody knows of.
  const timer = new Timer<Task>({ kind: 'session', group, memberId });
  group.pendingMembers.set(memberId, timer);
  m.schedule(timer, sessionTimeoutMs);
  return refuse(m, join, errorCode('MEMBER_ID_REQUIRED'), memberId);
}

function joinKnown(m: Machine, group: Group, join: Join): Write | null {
  const { request } = join;
  const { memberId, groupInstanceId } = request;
  if (group.pendingMembers.has(memberId)) {
    // Only dynamic members are given an id before they join.
    if (groupInstanceId !== null) return refuse(m, join, errorCode('UNKNOWN_SERVER_ERROR'), memberId);
    dropPendingMember(m, group, memberId);
    return addMember(m, group, memberId, join);
  }
  const problem = memberProblem(group, memberId, groupInstanceId);
  if (problem !== NONE) return refuse(m, join, problem, memberId);
  const member = group.members.get(memberId) as Member;
  if (mustRebalanceFor(group, member, join)) {
    updateMember(m, group, member, join);
    return rebalanceOrCompleteJoin(m, group, `member ${memberId} joins while ${group.state}: ${reasonOf(request)}`);
  }
  // Probably the answer to its last join was lost.
  m.reply(join.ticket, joinAnswer(group, member));
  return null;
}

function mustRebalanceFor(group: Group, member: Member, { protocols }: Join): boolean {
  if (group.state === 'PreparingRebalance') return true;
  // The leader joins again when something changed that members do not see, such as a topic's partitions.
  if (group.state === 'Stable' && group.isLeader(member.memberId)) return true;
  return !member.hasSameProtocols(protocols);
}

function reasonOf({ reason }: JoinRequest): string {
  return reason === null || reason === '' ? 'not provided' : reason;
}

function addMember(m: Machine, group: Group, memberId: string, join: Join): Write | null {
  const { request, client, protocols } = join;
  const member = new Member({
    memberId,
    groupInstanceId: request.groupInstanceId,
    clientId: client.clientId,
    clientHost: client.clientHost,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    sessionTimeoutMs: request.sessionTimeoutMs,
    protocols,
    assignment: EMPTY,
  }, { kind: 'session', group, memberId });
  member.isNew = true;
  if (group.state === 'PreparingRebalance' && group.previousState === 'Empty') group.hasNewMember = true;
  group.add(member, request.protocolType);
  group.setJoinTicket(member, join.ticket);
  // It cannot send heartbeats while it waits, so its session is not the measure; but if its client is gone, the member
  // must not stay for ever. One that is still there tries again.
  restartSession(m, member, m.config.newMemberJoinTimeoutMs);
  return rebalanceOrCompleteJoin(m, group, `new member ${memberId}: ${reasonOf(request)}`);
}

function updateMember(m: Machine, group: Group, member: Member, { request, protocols, ticket }: Join): void {
  group.setProtocols(member, protocols);
  member.rebalanceTimeoutMs = request.rebalanceTimeoutMs;
  member.sessionTimeoutMs = request.sessionTimeoutMs;
  parkJoin(m, group, member, ticket);
}

function successorOf(m: Machine, group: Group, old: Member, memberId: string): Member {
  const fenced = errorCode('FENCED_INSTANCE_ID');
  answerJoin(m, group, old, joinError(fenced, old.memberId));
  if (old.syncTicket !== null) {
    m.reply(old.syncTicket, { errorCode: fenced, protocolType: null, protocolName: null, assignment: EMPTY });
    old.syncTicket = null;
  }
  m.cancel(old.session);
  const successor = new Member({
    memberId,
    groupInstanceId: old.groupInstanceId,
    clientId: old.clientId,
    clientHost: old.clientHost,
    rebalanceTimeoutMs: old.rebalanceTimeoutMs,
    sessionTimeoutMs: old.sessionTimeoutMs,
    protocols: old.protocols,
    assignment: old.assignment,
  }, { kind: 'session', group, memberId });
  group.replace(old, successor);
  restartSession(m, successor);
  return successor;
}

/** A static member that has lost its id is given a new one, and its former self is shut out. */
function replaceStaticMember(m: Machine, group: Group, old: Member, memberId: string, join: Join): Write | null {
  const former = { leaderId: group.leaderId, protocols: old.protocols, rebalanceTimeoutMs: old.rebalanceTimeoutMs, sessionTimeoutMs: old.sessionTimeoutMs };
  const member = successorOf(m, group, old, memberId);
  updateMember(m, group, member, join);
  if (group.state === 'CompletingRebalance') {
    // The leader may be assigning to the former id at this moment.
    return prepareRebalance(m, group, `static member ${memberId} came back: ${reasonOf(join.request)}`);
  }
  if (group.state !== 'Stable') return completeJoinIfAllCame(m, group);
  if (group.selectProtocol() !== group.protocolName) {
    return prepareRebalance(m, group, `static member ${memberId} changes the protocol: ${reasonOf(join.request)}`);
  }
  m.log.info(`group ${group.id}: static member ${memberId} takes the place of ${old.memberId} without a rebalance`);
  const { generationId } = group;
  const assignments = new Map([...group.members.values()].map((each) => [each.memberId, each.assignment]));
  const write = m.append(group, [groupRecord(group, assignments)]);
  write.onSettled((code) => {
    const isAsItWas = group.state === 'Stable' && group.generationId === generationId && member.joinTicket === join.ticket;
    // Otherwise a rebalance has begun, in which this join counts.
    if (!isAsItWas) return;
    answerJoin(m, group, member, afterReplacement(group, member, former.leaderId, join, code));
    if (code === NONE) {
      // Its session may have ended while it was waiting for this answer, which was let pass.
      restartSession(m, member);
      return;
    }
    group.setProtocols(member, former.protocols);
    member.rebalanceTimeoutMs = former.rebalanceTimeoutMs;
    member.sessionTimeoutMs = former.sessionTimeoutMs;
    successorOf(m, group, member, old.memberId);
  });
  return write;
}

function afterReplacement(group: Group, member: Member, formerLeader: string | null, { client }: Join, code: number): JoinResponse {
  const response: JoinResponse = {
    errorCode: code,
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leader: formerLeader ?? '',
    skipAssignment: false,
    memberId: code === NONE ? member.memberId : '',
    members: [],
  };
  // Before version 9 a leader cannot be told not to assign: it is named by its former id, so that it takes itself for a
  // follower.
  if (code !== NONE || client.apiVersion < SKIP_ASSIGNMENT_SINCE) return response;
  const isLeader = group.isLeader(member.memberId);
  return {
    ...response,
    leader: group.leaderId ?? '',
    skipAssignment: isLeader,
    members: isLeader ? membersForLeader(group) : [],
  };
}
