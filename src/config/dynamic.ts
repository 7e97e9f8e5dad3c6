// Settings that clients change while the broker runs: what may be changed, and what follows from it.
import { requireSense, unmetRequirement } from './broker-config.js';
import { ConfigError } from './config-error.js';
import { BrokerSettings, type Texts } from './layered.js';
import { isDefault, refusal } from './refusals.js';
import { type Setting } from './setting.js';
import { findSetting, findTopicSetting, isRuntimeOnly } from './settings/index.js';
import { isTopicList, topicProblem } from './topic-values.js';
import { InvalidValue, parseValue } from './value.js';

/** Kafka changes these while it runs; here a listener is bound once. */
const FIXED_HERE: ReadonlySet<string> = new Set(['listeners', 'listener.security.protocol.map', 'cordoned.log.dirs']);

/** Settings that Kafka takes for a single listener only, by the prefix of its name. */
const PER_LISTENER = /^ssl\./;

export function isReadOnly(setting: Setting): boolean {
  return setting.update === 'read-only' || setting.use === 'refused' || FIXED_HERE.has(setting.name);
}

/** Why the broker, or all brokers (`isDefaults`), cannot have these overrides, or null. Settings that nobody knows are kept, as Kafka does. */
export function brokerProblem(overrides: Texts, settings: BrokerSettings, { isDefaults }: { readonly isDefaults: boolean }): string | null {
  const names = [...overrides.keys()];
  const fixed = names.filter((name) => findSetting(name)?.update === 'read-only' && !PER_LISTENER.test(name));
  if (fixed.length > 0) return `Cannot update these configs dynamically: [${fixed.join(', ')}]`;
  const wide = names.filter((name) => PER_LISTENER.test(name) && findSetting(name) !== undefined);
  if (wide.length > 0) {
    return `These security configs can be dynamically updated only per-listener using the listener prefix: [${wide.join(', ')}]`;
  }
  const here = names.filter((name) => FIXED_HERE.has(name) || /^listener\.name\.[^.]+\.(ssl|sasl)\./.test(name));
  if (here.length > 0) return `Sluice cannot change these while it runs: ${here.join(', ')}`;
  try {
    for (const [name, text] of overrides) requireValid(name, text);
  } catch (error) {
    if (error instanceof InvalidValue || error instanceof ConfigError) return error.message;
    throw error;
  }
  const own = isDefaults ? names.filter((name) => findSetting(name)?.update === 'per-broker') : [];
  if (own.length > 0) return `Cannot update these configs at default cluster level, broker id must be specified: [${own.join(', ')}]`;
  const next = isDefaults ? settings.withDynamic(settings.broker, overrides) : settings.withDynamic(overrides, settings.brokerDefaults);
  return threadsProblem(settings, next) ?? senseProblem(next);
}

/** Kafka enlarges and shrinks its pools in small steps. */
const POOLS = [
  'num.io.threads', 'num.network.threads', 'num.replica.fetchers', 'num.recovery.threads.per.data.dir', 'background.threads', 'log.cleaner.threads',
] as const;

function threadsProblem(current: BrokerSettings, next: BrokerSettings): string | null {
  for (const name of POOLS) {
    const [now, wanted] = [current.get(name), next.get(name)];
    const isFew = wanted < Math.floor(now / 2);
    if (!isFew && wanted <= now * 2) continue;
    const why = name === 'log.cleaner.threads'
      ? `Log cleaner threads cannot be ${isFew ? 'reduced to less than half' : 'increased to more than double'} the current value ${now}`
      : `Dynamic thread count update validation failed for ${name}=${wanted}, value should ` +
        `${isFew ? 'be at least half' : 'not be greater than double'} the current value ${now}`;
    return `Invalid value org.apache.kafka.common.config.ConfigException: ${why} for configuration Invalid dynamic configuration`;
  }
  return null;
}

function requireValid(name: string, text: string): void {
  const setting = findSetting(name);
  if (setting === undefined) return;
  parseValue(setting, text);
  if (setting.use === 'refused' && !isDefault(setting, text)) throw new ConfigError(refusal(setting), name);
}

function senseProblem(settings: BrokerSettings): string | null {
  try {
    const requirement = unmetRequirement(settings);
    if (requirement !== null) return `requirement failed: ${requirement.problem}`;
    requireSense(settings);
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

/** The protocol's numbers of the kinds of resources that have settings here. */
export const configResources = { topic: 2, broker: 4 } as const;

export interface ConfigRules {
  readonly brokerId: number;
  isList(resourceType: number, name: string): boolean | undefined;
  inherited(resourceType: number, name: string): string | null;
  problem(resourceType: number, resourceName: string, overrides: Texts): string | null;
}

/** What the controller has to know of settings to decide about a change; `current` gives the settings of the moment. */
export function configRules(brokerId: number, current: () => BrokerSettings): ConfigRules {
  return {
    brokerId,
    isList(resourceType, name) {
      if (resourceType === configResources.topic) return isTopicList(name);
      const setting = findSetting(name);
      return setting === undefined || isRuntimeOnly(name) ? undefined : setting.type === 'list';
    },
    inherited(resourceType, name) {
      return (resourceType === configResources.topic ? findTopicSetting(name) : findSetting(name))?.default ?? null;
    },
    problem(resourceType, resourceName, overrides) {
      if (resourceType === configResources.topic) return topicProblem(overrides, current());
      return brokerProblem(overrides, current(), { isDefaults: resourceName === '' });
    },
  };
}
