// LeaveGroup, versions 0-5: members go. 3: several at once, static ones also by their instance id alone. 5: the reason.
import { leaveGroupApi } from '../../protocol/messages/13-leave-group.js';
import { callerOf, groupsOf } from '../group-caller.js';
import { defineHandler } from '../registry.js';

const MANY_MEMBERS_SINCE = 3;

export const leaveGroupHandler = defineHandler({
  api: leaveGroupApi,
  async handle(request, ctx) {
    const { groupId, memberId, members } = request;
    const hasMany = ctx.header.apiVersion >= MANY_MEMBERS_SINCE;
    const leaving = hasMany ? members : [{ memberId, groupInstanceId: null, reason: null }];
    const left = await groupsOf(ctx).leaveGroup({ groupId, members: leaving }, callerOf(ctx));
    if (hasMany) return left;
    return { errorCode: left.errorCode !== 0 ? left.errorCode : (left.members[0]?.errorCode ?? 0) };
  },
  failed(_request, { code }) {
    return { errorCode: code };
  },
});
