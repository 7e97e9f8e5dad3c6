// The settings of a topic: its own where it has them, otherwise the broker's.
import { type BrokerSettings, type Texts } from './layered.js';
import { type TopicSettingName, type TopicSettingValueOf, allTopicSettings, findTopicSetting } from './settings/index.js';
import { type SettingValue, InvalidValue, canonicalText, parseValue } from './value.js';

const MINUTE_MS = 60_000n;
const HOUR_MS = 60n * MINUTE_MS;

/** What a topic has where nothing was set for it, from the broker's settings, as text; undefined: the default of the table. */
function inheritedText(name: string, broker: BrokerSettings): string | null | undefined {
  switch (name) {
    case 'retention.ms': return retention(broker);
    case 'segment.ms': return firstOf(broker, ['log.roll.ms', 1n], ['log.roll.hours', HOUR_MS]);
    case 'segment.jitter.ms': return firstOf(broker, ['log.roll.jitter.ms', 1n], ['log.roll.jitter.hours', HOUR_MS]);
    case 'flush.ms': return firstOf(broker, ['log.flush.interval.ms', 1n], ['log.flush.scheduler.interval.ms', 1n]);
    default: {
      const synonym = findTopicSetting(name)?.synonyms[0];
      return synonym === undefined ? undefined : broker.text(synonym);
    }
  }
}

function firstOf(broker: BrokerSettings, ...candidates: readonly (readonly [string, bigint])[]): string | undefined {
  for (const [name, unit] of candidates) {
    const text = broker.canonical(name);
    if (text !== null) return String(BigInt(text) * unit);
  }
  return undefined;
}

function retention(broker: BrokerSettings): string | undefined {
  const text = firstOf(broker, ['log.retention.ms', 1n], ['log.retention.minutes', MINUTE_MS], ['log.retention.hours', HOUR_MS]);
  return text?.startsWith('-') === true ? '-1' : text;
}

/** The settings of one topic. Immutable. */
export class TopicValues {
  readonly #overrides: Texts;
  readonly #broker: BrokerSettings;

  constructor(overrides: Texts, broker: BrokerSettings) {
    this.#overrides = overrides;
    this.#broker = broker;
  }

  get<Name extends TopicSettingName>(name: Name): TopicSettingValueOf<Name> {
    return this.value(name) as TopicSettingValueOf<Name>;
  }

  /** By a name that is not known at compile time; it must be one of the table's. */
  value(name: string): SettingValue {
    const setting = findTopicSetting(name);
    if (setting === undefined) throw new Error(`${name} is not in the table of topic settings`);
    return parseValue(setting, this.text(name));
  }

  text(name: string): string | null {
    const own = this.#overrides.get(name) ?? inheritedText(name, this.#broker);
    return own === undefined ? (findTopicSetting(name)?.default ?? null) : own;
  }

  canonical(name: string): string | null {
    const setting = findTopicSetting(name);
    return setting === undefined ? this.text(name) : canonicalText(setting, this.text(name));
  }

  /** How durable a record is when it is acknowledged. */
  durability(): 'fsync' | 'os' {
    if (this.get('flush.messages') === 1) return 'fsync';
    return this.get('sluice.durability') === 'os' ? 'os' : 'fsync';
  }

  segmentBytes(): number {
    return this.get('internal.segment.bytes') ?? this.get('segment.bytes');
  }
}

/** Why a topic cannot have these overrides, or null. The messages are Kafka's, where Kafka has one. */
export function topicProblem(overrides: Texts, broker: BrokerSettings): string | null {
  for (const name of overrides.keys()) {
    if (findTopicSetting(name) === undefined) return `Unknown topic config name: ${name}`;
  }
  const values = new TopicValues(overrides, broker);
  try {
    for (const setting of allTopicSettings) values.value(setting.name);
  } catch (error) {
    if (error instanceof InvalidValue) return error.message;
    throw error;
  }
  const minLag = values.get('min.compaction.lag.ms');
  const maxLag = values.get('max.compaction.lag.ms');
  if (minLag > maxLag) {
    const [min, max] = [values.canonical('min.compaction.lag.ms'), values.canonical('max.compaction.lag.ms')];
    return `conflict topic config setting min.compaction.lag.ms (${min}) > max.compaction.lag.ms (${max})`;
  }
  if (values.get('remote.storage.enable')) return 'Sluice has no remote storage: remote.storage.enable must be false';
  return null;
}

/** Whether the setting is a list, to which APPEND and SUBTRACT apply; undefined: there is no such setting. */
export function isTopicList(name: string): boolean | undefined {
  const setting = findTopicSetting(name);
  return setting && setting.type === 'list';
}
