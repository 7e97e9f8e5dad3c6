// ListGroups, versions 0-5: the groups that this broker coordinates. 4: of which states. 5: of which types.
import { listGroupsApi } from '../../protocol/messages/16-list-groups.js';
import { groupsOf } from '../group-caller.js';
import { defineHandler } from '../registry.js';

export const listGroupsHandler = defineHandler({
  api: listGroupsApi,
  handle(request, ctx) {
    return groupsOf(ctx).listGroups(request);
  },
  failed(_request, { code }) {
    return { errorCode: code };
  },
});
