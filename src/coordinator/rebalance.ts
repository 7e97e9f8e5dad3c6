// How a group gets from one generation to the next: members are called to join, those who do not come are dropped, a
// leader is found, and all are told.
import { errorCode } from '../protocol/errors.js';
import { NONE } from './errors.js';
import { type Group } from './group.js';
import { groupRecord } from './group-records.js';
import { type Machine, type Write } from './machine.js';
import { EMPTY, type Member } from './member.js';
import { type JoinedMember, type JoinResponse, type SyncResponse } from './requests.js';

const NO_GENERATION = -1;
const NO_ASSIGNMENTS: ReadonlyMap<string, Buffer> = new Map();

export function joinError(code: number, memberId: string): JoinResponse {
  return {
    errorCode: code, generationId: NO_GENERATION, protocolType: null, protocolName: null, leader: '',
    skipAssignment: false, memberId, members: [],
  };
}

export function syncError(code: number): SyncResponse {
  return { errorCode: code, protocolType: null, protocolName: null, assignment: EMPTY };
}

/** What a member is told about the present generation. Only the leader is told of the others. */
export function joinAnswer(group: Group, member: Member): JoinResponse {
  return {
    errorCode: NONE,
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leader: group.leaderId ?? '',
    skipAssignment: false,
    memberId: member.memberId,
    members: group.isLeader(member.memberId) ? membersForLeader(group) : [],
  };
}

export function membersForLeader(group: Group): JoinedMember[] {
  return [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: member.metadataFor(group.protocolName),
  }));
}

export function answerJoin(m: Machine, group: Group, member: Member, response: JoinResponse): void {
  const ticket = member.joinTicket;
  if (ticket === null) return;
  group.setJoinTicket(member, null);
  m.reply(ticket, response);
}

export function answerSync(m: Machine, member: Member, response: SyncResponse): boolean {
  const ticket = member.syncTicket;
  if (ticket === null) return false;
  member.syncTicket = null;
  m.reply(ticket, response);
  return true;
}

/** Parks a join until the rebalance is over. One that is parked already has been given up by its client. */
export function parkJoin(m: Machine, group: Group, member: Member, ticket: number): void {
  answerJoin(m, group, member, joinError(errorCode('REBALANCE_IN_PROGRESS'), member.memberId));
  group.setJoinTicket(member, ticket);
}

export function restartSession(m: Machine, member: Member, timeoutMs = member.sessionTimeoutMs): void {
  m.schedule(member.session, timeoutMs);
}

/** Takes a member out. If it is alive after all it learns that it has to start over. */
export function dropMember(m: Machine, group: Group, member: Member): void {
  m.cancel(member.session);
  answerJoin(m, group, member, joinError(errorCode('UNKNOWN_MEMBER_ID'), ''));
  answerSync(m, member, syncError(errorCode('UNKNOWN_MEMBER_ID')));
  group.remove(member);
}

export function dropPendingMember(m: Machine, group: Group, memberId: string): boolean {
  const timer = group.pendingMembers.get(memberId);
  if (timer === undefined) return false;
  m.cancel(timer);
  return group.pendingMembers.delete(memberId);
}

/** Members that wait for an assignment are told to join again. */
export function resetAssignments(m: Machine, group: Group, code: number): void {
  for (const member of group.members.values()) {
    group.setAssignment(member, EMPTY);
    if (answerSync(m, member, syncError(code))) restartSession(m, member);
  }
}

/** Returns what was written, if anything had to be: the group may become empty at once. */
export function prepareRebalance(m: Machine, group: Group, reason: string): Write | null {
  if (group.state === 'CompletingRebalance') resetAssignments(m, group, errorCode('REBALANCE_IN_PROGRESS'));
  stopWaitingForSync(m, group);
  const isFirst = group.state === 'Empty';
  group.moveTo('PreparingRebalance', m.now.wallMs);
  m.log.info(`group ${group.id}: rebalance after generation ${group.generationId}: ${reason}`);
  if (!isFirst) return completeJoinOrWait(m, group);
  const delayMs = m.config.initialRebalanceDelayMs;
  group.hasNewMember = false;
  group.joinTimer.task = {
    kind: 'initialJoin', group, delayMs, remainingMs: Math.max(group.rebalanceTimeoutMs - delayMs, 0),
  };
  m.schedule(group.joinTimer, delayMs);
  return null;
}

function stopWaitingForSync(m: Machine, group: Group): void {
  group.pendingSync.clear();
  m.cancel(group.syncTimer);
}

function completeJoinOrWait(m: Machine, group: Group): Write | null {
  if (group.hasAllMembersJoined) return completeJoin(m, group);
  waitForMembers(m, group);
  return null;
}

/** Members that allow no time at all do not keep the coordinator busy with asking again. */
const LEAST_WAIT_MS = 100;

function waitForMembers(m: Machine, group: Group, leastMs = 0): void {
  group.joinTimer.task = { kind: 'join', group };
  m.schedule(group.joinTimer, Math.max(group.rebalanceTimeoutMs, leastMs));
}

export function rebalanceOrCompleteJoin(m: Machine, group: Group, reason: string): Write | null {
  return group.canRebalance ? prepareRebalance(m, group, reason) : completeJoinIfAllCame(m, group);
}

/** The first rebalance of a group is not cut short: others are on their way. */
export function completeJoinIfAllCame(m: Machine, group: Group): Write | null {
  const canComplete = group.state === 'PreparingRebalance' && group.previousState !== 'Empty' && group.hasAllMembersJoined;
  return canComplete ? completeJoin(m, group) : null;
}

export function completeJoin(m: Machine, group: Group): Write | null {
  m.cancel(group.joinTimer);
  for (const member of [...group.members.values()]) {
    // Static members may be away for as long as their session lasts.
    if (member.joinTicket === null && member.groupInstanceId === null) dropMember(m, group, member);
  }
  if (!group.electLeaderAmongJoined() && group.members.size > 0) {
    m.log.warn(`group ${group.id}: no member joined in time, waiting for their sessions to end`);
    waitForMembers(m, group, LEAST_WAIT_MS);
    return null;
  }
  group.startNextGeneration(m.now.wallMs);
  if (group.members.size === 0) {
    m.log.info(`group ${group.id}: empty in generation ${group.generationId}`);
    return m.append(group, [groupRecord(group, NO_ASSIGNMENTS)]);
  }
  m.log.info(`group ${group.id}: generation ${group.generationId} with ${group.members.size} members`);
  for (const member of group.members.values()) {
    answerJoin(m, group, member, joinAnswer(group, member));
    restartSession(m, member);
    member.isNew = false;
    group.pendingSync.add(member.memberId);
  }
  group.syncTimer.task = { kind: 'sync', group, generationId: group.generationId };
  m.schedule(group.syncTimer, group.rebalanceTimeoutMs);
  return null;
}

// Timers

/** Waits on while members keep coming, up to what the members allow. */
export function firstJoinWaited(m: Machine, group: Group, delayMs: number, remainingMs: number): void {
  if (!group.hasNewMember || remainingMs === 0) {
    completeJoin(m, group);
    return;
  }
  group.hasNewMember = false;
  const nextDelayMs = Math.min(m.config.initialRebalanceDelayMs, remainingMs);
  group.joinTimer.task = {
    kind: 'initialJoin', group, delayMs: nextDelayMs, remainingMs: Math.max(remainingMs - delayMs, 0),
  };
  m.schedule(group.joinTimer, nextDelayMs);
}

export function syncWaited(m: Machine, group: Group, generationId: number): void {
  const isWaiting = group.state === 'CompletingRebalance' || group.state === 'Stable';
  if (generationId !== group.generationId || !isWaiting || group.pendingSync.size === 0) return;
  const late = [...group.pendingSync];
  for (const memberId of late) {
    const member = group.members.get(memberId);
    if (member !== undefined) dropMember(m, group, member);
  }
  prepareRebalance(m, group, `no sync in time from ${late.join(', ')}`);
}

export function sessionEnded(m: Machine, group: Group, memberId: string): void {
  if (dropPendingMember(m, group, memberId)) {
    if (group.state === 'PreparingRebalance' && group.hasAllMembersJoined) completeJoin(m, group);
    return;
  }
  const member = group.members.get(memberId);
  if (member === undefined || member.isExcusedFromHeartbeats) return;
  m.log.info(`group ${group.id}: member ${memberId} was not heard of in time`);
  dropMember(m, group, member);
  if (group.state === 'Stable' || group.state === 'CompletingRebalance') {
    prepareRebalance(m, group, `the session of ${memberId} ended`);
  } else if (group.state === 'PreparingRebalance' && group.hasAllMembersJoined) {
    completeJoin(m, group);
  }
}
