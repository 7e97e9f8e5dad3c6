// DescribeGroups, versions 0-6: state and members of groups. 3: what the client may do. 4: static members. 6: an error for
// groups that are not there, which before were shown as dead.
import { describeGroupsApi } from '../../protocol/messages/15-describe-groups.js';
import { callerOf, groupsOf } from '../group-caller.js';
import { allGroupOperations, operationsNotAsked } from '../no-authorizer.js';
import { defineHandler } from '../registry.js';
import { Repeats } from '../repeats.js';

export const describeGroupsHandler = defineHandler({
  api: describeGroupsApi,
  handle(request, ctx) {
    const operations = request.includeAuthorizedOperations ? allGroupOperations : operationsNotAsked;
    const described = new Map(groupsOf(ctx).describeGroups([...new Set(request.groups)], callerOf(ctx)).map((group) => [group.groupId, group]));
    const groups = request.groups.map((groupId) => described.get(groupId)!);
    const repeats = new Repeats();
    for (const group of groups) repeats.add(group, group.members.length);
    return {
      groups: groups.map((group) => ({
        ...group,
        authorizedOperations: group.errorCode === 0 ? operations : operationsNotAsked,
      })),
    };
  },
  failed(request, { code }) {
    return { groups: request.groups.map((groupId) => ({ groupId, errorCode: code })) };
  },
});
