// Whether someone is who it says it is.
import { errorCode } from '../protocol/errors.js';
import { NONE } from './errors.js';
import { type Group } from './group.js';

/** 0: it is a member, and has not been replaced. */
export function memberProblem(group: Group, memberId: string, groupInstanceId: string | null): number {
  if (groupInstanceId !== null) {
    const current = group.staticMembers.get(groupInstanceId);
    if (current === undefined) return errorCode('UNKNOWN_MEMBER_ID');
    if (current !== memberId) return errorCode('FENCED_INSTANCE_ID');
  }
  return group.members.has(memberId) ? NONE : errorCode('UNKNOWN_MEMBER_ID');
}
