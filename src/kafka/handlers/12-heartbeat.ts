// Heartbeat, versions 0-4: a member is there, and learns whether it has to join again. 3: static members.
import { heartbeatApi } from '../../protocol/messages/12-heartbeat.js';
import { callerOf, groupsOf } from '../group-caller.js';
import { defineHandler } from '../registry.js';

export const heartbeatHandler = defineHandler({
  api: heartbeatApi,
  handle(request, ctx) {
    return groupsOf(ctx).heartbeat(request, callerOf(ctx));
  },
  failed(_request, { code }) {
    return { errorCode: code };
  },
});
