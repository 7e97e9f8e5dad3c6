// SyncGroup, versions 0-5: the leader hands in who does what, all members hear their part. 3: static members. 5: members say
// which protocol they believe in.
import { errorCode } from '../../protocol/errors.js';
import { syncGroupApi } from '../../protocol/messages/14-sync-group.js';
import { callerOf, groupsOf } from '../group-caller.js';
import { defineHandler } from '../registry.js';

const PROTOCOL_REQUIRED_SINCE = 5;

export const syncGroupHandler = defineHandler({
  api: syncGroupApi,
  handle(request, ctx) {
    const isSilent = request.protocolType === null || request.protocolName === null;
    if (ctx.header.apiVersion >= PROTOCOL_REQUIRED_SINCE && isSilent) return { errorCode: errorCode('INCONSISTENT_GROUP_PROTOCOL') };
    return groupsOf(ctx).syncGroup(request, callerOf(ctx));
  },
  failed(_request, { code }) {
    return { errorCode: code };
  },
});
