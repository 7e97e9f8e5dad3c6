// DeleteGroups, versions 0-3: groups without members go, with their offsets. 3: messages for errors, which the codes of
// classic groups do not need.
import { deleteGroupsApi } from '../../protocol/messages/42-delete-groups.js';
import { callerOf, groupsOf } from '../group-caller.js';
import { defineHandler } from '../registry.js';

export const deleteGroupsHandler = defineHandler({
  api: deleteGroupsApi,
  async handle(request, ctx) {
    return { results: await groupsOf(ctx).deleteGroups(request.groupsNames, callerOf(ctx)) };
  },
  failed(request, { code }) {
    return { results: [...new Set(request.groupsNames)].map((groupId) => ({ groupId, errorCode: code })) };
  },
});
