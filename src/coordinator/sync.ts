// SyncGroup: the leader hands in what it has assigned, all others wait for it. Everybody is told when it is durable.
import { errorCode } from '../protocol/errors.js';
import { NONE } from './errors.js';
import { type Group } from './group.js';
import { groupRecord } from './group-records.js';
import { type Machine } from './machine.js';
import { EMPTY, type Member, type Ticket, keepBytes } from './member.js';
import { answerSync, prepareRebalance, resetAssignments, restartSession, syncError } from './rebalance.js';
import { type SyncRequest } from './requests.js';
import { memberProblem } from './validate.js';

function problemOf(group: Group, request: SyncRequest): number {
  const problem = memberProblem(group, request.memberId, request.groupInstanceId);
  if (problem !== NONE) return problem;
  if (request.generationId !== group.generationId) return errorCode('ILLEGAL_GENERATION');
  if (differs(request.protocolType, group.protocolType) || differs(request.protocolName, group.protocolName)) {
    return errorCode('INCONSISTENT_GROUP_PROTOCOL');
  }
  return group.state === 'PreparingRebalance' ? errorCode('REBALANCE_IN_PROGRESS') : NONE;
}

function differs(said: string | null, known: string | null): boolean {
  return said !== null && known !== null && said !== known;
}

export function syncGroup(m: Machine, group: Group | undefined, request: SyncRequest, ticket: Ticket): void {
  if (request.groupId === '') {
    m.reply(ticket, syncError(errorCode('INVALID_GROUP_ID')));
    return;
  }
  const problem = group === undefined || group.state === 'Empty' ? errorCode('UNKNOWN_MEMBER_ID') : problemOf(group, request);
  if (group === undefined || problem !== NONE) {
    m.reply(ticket, syncError(problem));
    return;
  }
  const member = group.members.get(request.memberId) as Member;
  group.pendingSync.delete(member.memberId);
  if (group.pendingSync.size === 0) m.cancel(group.syncTimer);
  if (group.state === 'Stable') {
    m.reply(ticket, assignmentOf(group, member));
    return;
  }
  // One that is parked already has been given up by its client.
  answerSync(m, member, syncError(errorCode('REBALANCE_IN_PROGRESS')));
  member.syncTicket = ticket;
  if (group.isLeader(member.memberId)) storeAssignments(m, group, request);
}

function assignmentOf(group: Group, member: Member) {
  return { errorCode: NONE, protocolType: group.protocolType, protocolName: group.protocolName, assignment: member.assignment };
}

function storeAssignments(m: Machine, group: Group, request: SyncRequest): void {
  const { generationId } = group;
  // A leader that asks again meanwhile waits for what it handed in first: two records might differ.
  if (group.storingGeneration === generationId) return;
  group.storingGeneration = generationId;
  const assignments = new Map<string, Buffer>();
  for (const { memberId, assignment } of request.assignments) {
    if (group.members.has(memberId)) assignments.set(memberId, keepBytes(assignment));
  }
  const write = m.append(group, [groupRecord(group, assignments)]);
  write.onSettled((code) => {
    if (group.storingGeneration === generationId) group.storingGeneration = null;
    // In the meantime someone may have joined or left.
    if (group.state !== 'CompletingRebalance' || group.generationId !== generationId) return;
    if (code !== NONE) {
      resetAssignments(m, group, code);
      prepareRebalance(m, group, `the assignment of ${request.memberId} could not be written`);
      return;
    }
    group.moveTo('Stable', m.now.wallMs);
    for (const member of group.members.values()) {
      group.setAssignment(member, assignments.get(member.memberId) ?? EMPTY);
      // A session that ended while its member was waiting for this answer was let pass.
      if (answerSync(m, member, assignmentOf(group, member))) restartSession(m, member);
    }
  });
}
