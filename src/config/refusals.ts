// What ends the start: settings whose absence would leave open what was to be closed, or run another cluster than was meant.
import { hostname } from 'node:os';
import { ConfigError } from './config-error.js';
import { type BrokerSettings, type Texts } from './layered.js';
import { type Listeners } from './listeners.js';
import { type Setting } from './setting.js';
import { findSetting } from './settings/index.js';
import { canonicalText } from './value.js';

const STAYS_CLOSED = 'it does not start rather than leave open what was to be closed';

/** Settings of older Kafka versions that would mean another cluster. */
const OLD_TOPOLOGY = ['zookeeper.connect'];

/** `listener.name.<name>.<setting>`, with `<mechanism>.` before the settings of SASL. */
const LISTENER_PREFIX = /^listener\.name\.[^.]+\.(?:.+\.)?((?:ssl|sasl)\..+|principal\.builder\.class|connections\.max\.reauth\.ms)$/;

export function refuseUnserved(texts: Texts): void {
  for (const [name, text] of texts) {
    const prefixed = LISTENER_PREFIX.exec(name)?.[1];
    if (prefixed !== undefined) {
      throw new ConfigError(`${name} is set, and Sluice does not serve ${prefixed}; ${STAYS_CLOSED}. Remove it to start without`, name);
    }
    if (OLD_TOPOLOGY.includes(name)) {
      throw new ConfigError(`${name} is set, and Sluice has no ZooKeeper: its controller is inside the broker. Remove it to start alone`, name);
    }
    const setting = findSetting(name);
    if (setting?.use === 'refused' && !isDefault(setting, text)) throw new ConfigError(refusal(setting), name);
  }
}

export function refusal(setting: Setting): string {
  const why = setting.name.startsWith('remote.') ? 'it does not start rather than keep less than was asked for' : STAYS_CLOSED;
  return `${setting.name} is set, which Sluice does not serve (${setting.prose.replace(/\.$/, '')}); ${why}. Remove it to start without`;
}

export function isDefault(setting: Setting, text: string): boolean {
  const canonical = canonicalText(setting, text);
  return canonical === canonicalText(setting, setting.default) || (canonical === '' && setting.default === null);
}

/** This node is broker and controller. */
export function refuseOtherRoles(settings: BrokerSettings): void {
  const roles = settings.get('process.roles');
  if (roles !== null && !(roles.includes('broker') && roles.includes('controller'))) {
    throw new ConfigError(`process.roles is ${roles.join(',')}, and Sluice is a broker with its own controller inside: ` +
      'set process.roles=broker,controller', 'process.roles');
  }
}

/** It is its own and only controller. */
export function refuseOtherControllers(settings: BrokerSettings, nodeId: number, listeners: Listeners): void {
  for (const voter of settings.get('controller.quorum.voters')) {
    const match = /^(\d+)@(.+):(\d+)$/.exec(voter);
    if (match === null) {
      throw new ConfigError(`controller.quorum.voters has '${voter}', which is not of the form id@host:port`, 'controller.quorum.voters');
    }
    if (Number(match[1]) !== nodeId) {
      throw new ConfigError(`controller.quorum.voters names ${voter}, and Sluice joins no other controllers: ` +
        `name only this node (${nodeId}@...), or nobody`, 'controller.quorum.voters');
    }
  }
  for (const server of settings.get('controller.quorum.bootstrap.servers')) {
    if (isOwnController(server, listeners)) continue;
    throw new ConfigError(`controller.quorum.bootstrap.servers names ${server}, which is not this node's own controller listener, ` +
      'and Sluice joins no other controllers: remove it, or name the own one', 'controller.quorum.bootstrap.servers');
  }
}

function isOwnController(server: string, { unbound, bound, advertised }: Listeners): boolean {
  const match = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(server);
  if (match === null) return false;
  const host = match[1] ?? match[2] ?? '';
  const hosts = [...unbound, ...bound, ...advertised].map((listener) => listener.host).filter((each) => each !== '');
  const isOwnHost = [...hosts, hostname(), 'localhost', '::1'].includes(host) || host.startsWith('127.');
  return isOwnHost && unbound.some(({ port }) => port === Number(match[3]));
}
