// Heartbeat and LeaveGroup: members that are still there, and members that go.
import { errorCode } from '../protocol/errors.js';
import { NONE } from './errors.js';
import { type Group } from './group.js';
import { type Machine, type Write } from './machine.js';
import { type Member, type Ticket } from './member.js';
import { completeJoinIfAllCame, dropMember, dropPendingMember, prepareRebalance, restartSession } from './rebalance.js';
import { type HeartbeatRequest, type LeaveRequest, type LeaveResponse, type LeavingMember } from './requests.js';
import { memberProblem } from './validate.js';

export function heartbeat(m: Machine, group: Group | undefined, request: HeartbeatRequest): number {
  if (request.groupId === '') return errorCode('INVALID_GROUP_ID');
  if (group === undefined) return errorCode('UNKNOWN_MEMBER_ID');
  const problem = memberProblem(group, request.memberId, request.groupInstanceId);
  if (problem !== NONE) return problem;
  if (request.generationId !== group.generationId) return errorCode('ILLEGAL_GENERATION');
  restartSession(m, group.members.get(request.memberId) as Member);
  return group.state === 'PreparingRebalance' ? errorCode('REBALANCE_IN_PROGRESS') : NONE;
}

/** The answer waits for the record of a group that has become empty by it. */
export function leaveGroup(m: Machine, group: Group | undefined, request: LeaveRequest, ticket: Ticket): void {
  if (request.groupId === '') {
    m.reply(ticket, { errorCode: errorCode('INVALID_GROUP_ID'), members: [] });
    return;
  }
  const members = request.members.map((leaving) => ({
    memberId: leaving.memberId,
    groupInstanceId: leaving.groupInstanceId,
    errorCode: group === undefined ? errorCode('UNKNOWN_MEMBER_ID') : takeOut(m, group, leaving),
  }));
  const response: LeaveResponse = { errorCode: NONE, members };
  const left = members.filter((member) => member.errorCode === NONE).map(({ memberId }) => memberId);
  const write = group === undefined || left.length === 0 ? null : afterLeaving(m, group, left);
  if (write === null) m.reply(ticket, response);
  else write.onSettled((code) => m.reply(ticket, code === NONE ? response : { errorCode: code, members: [] }));
}

function takeOut(m: Machine, group: Group, { memberId, groupInstanceId, reason }: LeavingMember): number {
  const named = memberId === '' ? staticMember(group, groupInstanceId) : group.members.get(memberId);
  if (memberId !== '') {
    if (dropPendingMember(m, group, memberId)) return NONE;
    const problem = memberProblem(group, memberId, groupInstanceId);
    if (problem !== NONE) return problem;
  }
  if (named === undefined) return errorCode('UNKNOWN_MEMBER_ID');
  m.log.info(`group ${group.id}: member ${named.memberId} leaves: ${reason ?? 'not provided'}`);
  dropMember(m, group, named);
  return NONE;
}

/** Administrators take out static members by their instance id alone. */
function staticMember(group: Group, groupInstanceId: string | null): Member | undefined {
  const memberId = groupInstanceId === null ? undefined : group.staticMembers.get(groupInstanceId);
  return memberId === undefined ? undefined : group.members.get(memberId);
}

function afterLeaving(m: Machine, group: Group, left: readonly string[]): Write | null {
  switch (group.state) {
    case 'Stable':
    case 'CompletingRebalance':
      return prepareRebalance(m, group, `${left.join(', ')} left`);
    case 'PreparingRebalance':
      return completeJoinIfAllCame(m, group);
    default:
      return null;
  }
}
