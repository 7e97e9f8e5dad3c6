// JoinGroup, versions 0-9: a member enters a group or its next generation; the answer comes when the others have come too.
// 1: rebalance timeout. 4: a new member is first told its id. 5: static members. 8: the reason. 9: a leader that comes back
// need not assign anew.
import { joinGroupApi } from '../../protocol/messages/11-join-group.js';
import { callerOf, groupsOf } from '../group-caller.js';
import { defineHandler } from '../registry.js';

const NO_PROTOCOL_SINCE = 7;

export const joinGroupHandler = defineHandler({
  api: joinGroupApi,
  async handle(request, ctx) {
    const { apiVersion } = ctx.header;
    const rebalanceTimeoutMs = apiVersion === 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs;
    const { protocolName, ...joined } = await groupsOf(ctx).joinGroup({ ...request, rebalanceTimeoutMs }, callerOf(ctx));
    return { ...joined, protocolName: apiVersion < NO_PROTOCOL_SINCE ? (protocolName ?? '') : protocolName };
  },
  failed(_request, { code }, { header }) {
    return { errorCode: code, protocolName: header.apiVersion < NO_PROTOCOL_SINCE ? '' : null };
  },
});
