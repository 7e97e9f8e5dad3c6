// Listeners as Kafka writes them: NAME://host:port, with a protocol for each name.
import { hostname } from 'node:os';
import { ConfigError } from './config-error.js';
import { type BrokerSettings } from './layered.js';

export interface Listener {
  readonly name: string;
  /** Empty: every interface. */
  readonly host: string;
  /** 0: a free one, chosen when it is bound. */
  readonly port: number;
}

export interface Listeners {
  /** To bind. */
  readonly bound: readonly Listener[];
  /** Where clients find them; port 0 where that of the bound one is 0. */
  readonly advertised: readonly Listener[];
  /** The controller's, accepted and not bound. */
  readonly unbound: readonly Listener[];
  readonly interBroker: string;
}

const PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'];

/** `[host]` for an address of IPv6. */
export function listenerText({ name, host, port }: Listener): string {
  return `${name}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

export function resolveListeners(settings: BrokerSettings): Listeners {
  const controllerNames = new Set(settings.get('controller.listener.names')?.map((name) => name.toUpperCase()) ?? []);
  const listed = parseListeners('listeners', settings.get('listeners'));
  requireUniquePorts(listed);
  const protocols = protocolsOf(settings, controllerNames);
  for (const listener of listed) requirePlaintext(listener, protocols);
  for (const name of controllerNames) {
    if (!listed.some((listener) => listener.name === name)) {
      throw new ConfigError(`controller.listener.names names ${name}, which is not one of the listeners (${names(listed)})`);
    }
  }
  const bound = listed.filter((listener) => !controllerNames.has(listener.name));
  if (bound.length === 0) throw new ConfigError('listeners has none for clients: all of them are in controller.listener.names');
  return {
    bound,
    unbound: listed.filter((listener) => controllerNames.has(listener.name)),
    advertised: advertisedListeners(settings, bound, controllerNames),
    interBroker: interBrokerName(settings, bound),
  };
}

function names(listeners: readonly Listener[]): string {
  return listeners.map((listener) => listener.name).join(', ');
}

function parseListeners(setting: string, entries: readonly string[]): Listener[] {
  const listeners = entries.map((entry) => parseListener(setting, entry));
  const doubled = listeners.find((listener, index) => listeners.findIndex((other) => other.name === listener.name) !== index);
  if (doubled !== undefined) throw new ConfigError(`${setting} has the name ${doubled.name} twice; every listener needs its own`);
  return listeners;
}

function parseListener(setting: string, entry: string): Listener {
  const match = /^([^:/]+):\/\/(?:\[([0-9a-zA-Z\-%._:]*)\]|([0-9a-zA-Z\-%._:]*)):(\d+)$/.exec(entry);
  const port = Number(match?.[4]);
  if (match === null || port > 65_535) {
    throw new ConfigError(`${setting} has '${entry}', which is not of the form NAME://host:port, for example PLAINTEXT://127.0.0.1:9092`);
  }
  return { name: (match[1] ?? '').toUpperCase(), host: match[2] ?? match[3] ?? '', port };
}

function requireUniquePorts(listeners: readonly Listener[]): void {
  for (const [index, listener] of listeners.entries()) {
    const other = listeners.slice(0, index).find(({ port, host }) => port !== 0 && port === listener.port && overlap(host, listener.host));
    if (other !== undefined) {
      throw new ConfigError(`listeners has ${listenerText(other)} and ${listenerText(listener)}, which cannot both have port ${listener.port}`);
    }
  }
}

function overlap(one: string, other: string): boolean {
  const isEvery = (host: string): boolean => host === '' || host === '0.0.0.0' || host === '::';
  return one === other || isEvery(one) || isEvery(other);
}

function protocolsOf(settings: BrokerSettings, controllerNames: ReadonlySet<string>): ReadonlyMap<string, string> {
  const protocols = new Map<string, string>();
  for (const pair of settings.get('listener.security.protocol.map').split(/\s*,\s*/)) {
    const match = /^([^:]+):([^:]+)$/.exec(pair);
    const protocol = match?.[2]?.toUpperCase();
    if (match === null || protocol === undefined || !PROTOCOLS.includes(protocol)) {
      throw new ConfigError(`listener.security.protocol.map has '${pair}', which is not of the form NAME:PROTOCOL with one of ${PROTOCOLS.join(', ')}`);
    }
    const name = (match[1] ?? '').toUpperCase();
    if (protocols.has(name)) throw new ConfigError(`listener.security.protocol.map has the name ${name} twice`);
    protocols.set(name, protocol);
  }
  if (!settings.file.has('listener.security.protocol.map')) {
    for (const name of controllerNames) if (!protocols.has(name)) protocols.set(name, 'PLAINTEXT');
  }
  return protocols;
}

function requirePlaintext(listener: Listener, protocols: ReadonlyMap<string, string>): void {
  const protocol = protocols.get(listener.name);
  if (protocol === undefined) {
    throw new ConfigError(`listeners has ${listenerText(listener)}, but listener.security.protocol.map does not say which protocol ${listener.name} speaks`);
  }
  if (protocol !== 'PLAINTEXT') {
    throw new ConfigError(`listeners has ${listenerText(listener)} with the protocol ${protocol}, and Sluice serves PLAINTEXT only; ` +
      'it does not start rather than leave open what was to be closed');
  }
}

function advertisedListeners(settings: BrokerSettings, bound: readonly Listener[], controllerNames: ReadonlySet<string>): readonly Listener[] {
  const given = settings.get('advertised.listeners');
  const listed = given === null ? bound : parseListeners('advertised.listeners', given).filter(({ name }) => !controllerNames.has(name));
  const setting = given === null ? 'listeners' : 'advertised.listeners';
  if (listed.length === 0) throw new ConfigError('advertised.listeners has none for clients');
  return listed.map((listener) => {
    const own = bound.find(({ name }) => name === listener.name);
    if (own === undefined) throw new ConfigError(`advertised.listeners has ${listener.name}, which is not one of the listeners (${names(bound)})`);
    if (listener.host === '0.0.0.0' || listener.host === '::') {
      throw new ConfigError(`${setting} has ${listenerText(listener)}, an address that clients cannot connect to; ` +
        'set advertised.listeners to one that they can');
    }
    return { ...listener, host: listener.host === '' ? hostname() : listener.host };
  });
}

function interBrokerName(settings: BrokerSettings, bound: readonly Listener[]): string {
  const given = settings.get('inter.broker.listener.name')?.toUpperCase();
  if (given === undefined) return bound.find(({ name }) => name === 'PLAINTEXT')?.name ?? bound[0]?.name ?? '';
  if (!bound.some(({ name }) => name === given)) {
    throw new ConfigError(`inter.broker.listener.name is ${given}, which is not one of the listeners for clients (${names(bound)})`);
  }
  return given;
}
