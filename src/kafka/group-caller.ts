import { isIPv6 } from 'node:net';
import { type Caller, type GroupCoordinator } from '../coordinator/index.js';
import { type RequestContext } from './context.js';

/** Who asks the group coordinator. Kafka shows the host of a member as Java shows an address. */
export function callerOf({ header, peerHost }: RequestContext): Caller {
  return { clientId: header.clientId ?? '', clientHost: javaAddress(peerHost), apiVersion: header.apiVersion };
}

const IPV6_GROUPS = 8;

/** With a slash, and of IPv6 all eight groups. */
export function javaAddress(host: string): string {
  if (!isIPv6(host)) return `/${host}`;
  const [before = [], behind = []] = host.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const zeros = Array.from({ length: IPV6_GROUPS - before.length - behind.length }, () => '0');
  return `/${[...before, ...(host.includes('::') ? zeros : []), ...behind].join(':')}`;
}

export function groupsOf({ broker }: RequestContext): GroupCoordinator {
  return broker.groups;
}
