// From properties to what a broker runs with.
import { resolve } from 'node:path';
import { ConfigError } from './config-error.js';
import { BrokerSettings, type Texts } from './layered.js';
import { type Listener, type Listeners, listenerText, resolveListeners } from './listeners.js';
import { refuseOtherControllers, refuseOtherRoles, refuseUnserved } from './refusals.js';
import { findSetting, isRuntimeOnly } from './settings/index.js';
import { TopicValues, topicProblem } from './topic-values.js';
import { InvalidValue, parseValue } from './value.js';
import { perIpOverrides } from './per-ip.js';

export interface BrokerConfig {
  readonly nodeId: number;
  readonly listeners: Listeners;
  /** The one directory for data, absolute. */
  readonly logDir: string;
  readonly settings: BrokerSettings;
}

export interface ResolvedConfig {
  readonly config: BrokerConfig;
  /** One line each. */
  readonly warnings: readonly string[];
}

/** What counts where there is no file: the values of Kafka's shipped configuration for one node, on the loopback address. */
const EMBEDDED: Readonly<Record<string, string>> = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  listeners: 'PLAINTEXT://127.0.0.1:9092',
  'log.dirs': './data',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
};

/** Replicas of internal topics, which there cannot be more of than brokers. */
const CAPPED = [
  'offsets.topic.replication.factor',
  'transaction.state.log.replication.factor',
  'transaction.state.log.min.isr',
  'share.coordinator.state.topic.replication.factor',
  'share.coordinator.state.topic.min.isr',
] as const;
const BROKERS = 1;
const DEFAULT_NODE_ID = '1';

export function defaultConfig(): BrokerConfig {
  return resolveBrokerConfig(new Map(), { fileGiven: false }).config;
}

/** Throws ConfigError where Sluice cannot serve what is asked for. */
export function resolveBrokerConfig(properties: Texts, { fileGiven }: { readonly fileGiven: boolean }): ResolvedConfig {
  const texts = new Map(fileGiven ? properties : [...Object.entries(EMBEDDED), ...properties]);
  if (!fileGiven && properties.has('log.dir') && !properties.has('log.dirs')) texts.delete('log.dirs');
  if (!fileGiven && properties.has('broker.id') && !properties.has('node.id')) texts.delete('node.id');
  setNodeId(texts);
  requireValid(texts);
  refuseUnserved(texts);
  const warnings: string[] = [];
  capReplicas(texts, warnings);
  const settings = new BrokerSettings(texts);
  const nodeId = Number(settings.text('node.id'));
  refuseOtherRoles(settings);
  const listeners = resolveListeners(settings);
  refuseOtherControllers(settings, nodeId, listeners);
  requireSense(settings);
  warnings.push(...warningsOf(properties, listeners));
  return { config: { nodeId, listeners, logDir: theLogDir(settings), settings }, warnings };
}

/** node.id and broker.id are two names of one thing, and both are shown. */
function setNodeId(texts: Map<string, string>): void {
  const [node, broker] = [texts.get('node.id'), texts.get('broker.id')];
  if (node !== undefined && broker !== undefined && node.trim() !== broker.trim()) {
    throw new ConfigError(`node.id is ${node} and broker.id is ${broker}: they are the same thing, so set one, or both alike`, 'node.id');
  }
  const id = node ?? broker ?? DEFAULT_NODE_ID;
  texts.set('node.id', id).set('broker.id', id);
}

function requireValid(texts: Texts): void {
  for (const [name, text] of texts) {
    const setting = findSetting(name);
    if (setting === undefined) continue;
    try {
      parseValue(setting, text);
    } catch (error) {
      if (error instanceof InvalidValue) throw new ConfigError(error.message, name);
      throw error;
    }
  }
}

function capReplicas(texts: Map<string, string>, warnings: string[]): void {
  const settings = new BrokerSettings(new Map(texts));
  const capped = CAPPED.filter((name) => settings.get(name) > BROKERS);
  for (const name of capped) texts.set(name, String(BROKERS));
  if (capped.length > 0) warnings.push(`there is one broker, so these count as ${BROKERS}: ${capped.join(', ')}`);
}

function theLogDir(settings: BrokerSettings): string {
  const [name, given] = settings.get('log.dirs') === null
    ? ['log.dir', settings.get('log.dir')] as const
    : ['log.dirs', settings.get('log.dirs') ?? []] as const;
  const directories = [...new Set(given.map((directory) => resolve(directory)))];
  const [directory] = directories;
  if (directory === undefined || directories.length > 1) {
    throw new ConfigError(`${name} has ${directories.length} directories, and Sluice serves one: name one`, name);
  }
  const metadata = settings.get('metadata.log.dir');
  if (metadata !== null && resolve(metadata) !== directory) {
    throw new ConfigError(`metadata.log.dir is ${metadata}, and Sluice keeps the metadata log in ${name} (${directory}): ` +
      'remove it, or set it to that directory', 'metadata.log.dir');
  }
  return directory;
}

/** What the ranges of single settings do not say. */
export function requireSense(settings: BrokerSettings): void {
  const requirement = unmetRequirement(settings);
  if (requirement !== null) throw new ConfigError(requirement.problem, requirement.name);
  const largest = settings.get('socket.request.max.bytes');
  const perConnection = settings.get('sluice.memory.connection.bytes');
  if (perConnection !== null && perConnection < largest) {
    throw new ConfigError(`sluice.memory.connection.bytes is ${perConnection}, and a request may have ${largest} bytes: ` +
      'raise it, or lower socket.request.max.bytes', 'sluice.memory.connection.bytes');
  }
  const problem = topicProblem(new Map(), settings);
  if (problem !== null) throw new ConfigError(problem);
}

/** What Kafka requires of values that depend on each other, in its words. */
export function unmetRequirement(settings: BrokerSettings): { readonly name: string; readonly problem: string } | null {
  const unmet = (name: string, what: string) => ({ name, problem: `${name} ${what}` });
  const retention = new TopicValues(new Map(), settings).get('retention.ms');
  if (retention !== -1 && retention < 1) return unmet('log.retention.ms', 'must be unlimited (-1) or, greater than or equal to 1');
  for (const [name, least] of [['log.roll.ms', 1], ['log.roll.jitter.ms', 0]] as const) {
    const value = settings.get(name);
    if (value !== null && value < least) return unmet(name, `must be greater than or equal to ${least}`);
  }
  const overrides = perIpOverrides(settings.get('max.connections.per.ip.overrides'));
  if (settings.get('max.connections.per.ip') !== 0 || overrides.length > 0) return null;
  return unmet('max.connections.per.ip', 'can be set to zero only if max.connections.per.ip.overrides property is set.');
}

function warningsOf(given: Texts, listeners: Listeners): string[] {
  const warnings: string[] = [];
  const all = [...given.keys()];
  const ignored = all.filter((name) => findSetting(name)?.use === 'ignored' || /^listener\.name\.|^(rsm|rlmm)\.config\./.test(name));
  const unknown = all.filter((name) => (findSetting(name) === undefined || isRuntimeOnly(name)) && !ignored.includes(name));
  if (listeners.unbound.length > 0) {
    const shown = listeners.unbound.map((listener: Listener) => listenerText(listener)).join(', ');
    warnings.push(`the controller is inside the broker, so its listener is not bound: ${shown}`);
  }
  if (ignored.length > 0) warnings.push(`accepted, but without effect in Sluice: ${ignored.sort().join(', ')}`);
  if (unknown.length > 0) warnings.push(`unknown settings, ignored: ${unknown.sort().join(', ')}`);
  return warnings;
}

