// max.connections.per.ip.overrides: address:count, ...
import { isIP } from 'node:net';
import { ConfigError } from './config-error.js';

export const PER_IP_OVERRIDES = 'max.connections.per.ip.overrides';
const MAX_INT = 2 ** 31 - 1;

export interface HostLimit {
  readonly host: string;
  readonly connections: number;
}

export function perIpOverrides(text: string): HostLimit[] {
  return text.split(',').map((part) => part.trim()).filter((part) => part !== '').map((part) => {
    const colon = part.lastIndexOf(':');
    const host = part.slice(0, Math.max(colon, 0)).trim().replace(/^\[(.*)\]$/, '$1');
    const count = part.slice(colon + 1).trim();
    if (isIP(host) === 0) throw new ConfigError(`${PER_IP_OVERRIDES} has '${part}', and must have address:count; names of hosts are not looked up`, PER_IP_OVERRIDES);
    if (!/^\d+$/.test(count) || Number(count) > MAX_INT) throw new ConfigError(`${PER_IP_OVERRIDES} has '${part}', and must have a whole number behind the address`, PER_IP_OVERRIDES);
    return { host, connections: Number(count) };
  });
}
