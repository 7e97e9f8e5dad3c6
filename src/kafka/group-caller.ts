import { type Caller, type GroupCoordinator } from '../coordinator/index.js';
import { type RequestContext } from './context.js';

/** Who asks the group coordinator. Kafka shows the host of a member as Java shows an address, with a slash. */
export function callerOf({ header, peerHost }: RequestContext): Caller {
  return { clientId: header.clientId ?? '', clientHost: `/${peerHost}`, apiVersion: header.apiVersion };
}

export function groupsOf({ broker }: RequestContext): GroupCoordinator {
  return broker.groups;
}
