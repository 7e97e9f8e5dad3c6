// Settings as DescribeConfigs tells them: the value that counts, where it comes from, and what else was said.
import { isReadOnly } from './dynamic.js';
import { type BrokerSettings, type SourcedText, type Texts, configSources } from './layered.js';
import { type Setting, type SettingType } from './setting.js';
import { allSettings, allTopicSettings, findSetting, isRuntimeOnly } from './settings/index.js';
import { TopicValues } from './topic-values.js';

export interface DescribedSynonym {
  readonly name: string;
  readonly value: string | null;
  readonly source: number;
}

/** One setting; numbers are the protocol's. */
export interface DescribedConfig {
  readonly name: string;
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly isSensitive: boolean;
  readonly source: number;
  readonly type: number;
  readonly documentation: string | null;
  /** What would count, most important first; the first one does. */
  readonly synonyms: readonly DescribedSynonym[];
}

const TYPE_NUMBERS: Readonly<Record<SettingType, number>> = {
  boolean: 1, string: 2, int: 3, short: 4, long: 5, double: 6, list: 7, class: 8, password: 9,
};
const UNKNOWN_TYPE = 0;

/** Settings of the broker that stand for one another, the one asked for first. */
const SAME: readonly (readonly string[])[] = [
  ['log.roll.ms', 'log.roll.hours'],
  ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
  ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
  ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'],
];

/** A password, and what nobody knows: it might be one. */
function isSensitive(setting: Setting | undefined): boolean {
  return setting === undefined || setting.type === 'password';
}

function synonymsOf(name: string, settings: BrokerSettings): readonly SourcedText[] {
  const names = SAME.find((each) => each.includes(name)) ?? [name];
  const bySource = Object.values(configSources).flatMap((source) =>
    names.flatMap((each) => settings.sources(each).filter((text) => text.source === source && !(source === configSources.default && isRuntimeOnly(each)))));
  // As Kafka has it: what stands before the setting's own first entry does not count for it.
  const own = bySource.findIndex((each) => each.name === name);
  return own === -1 ? [] : bySource.slice(own);
}

function shown(synonyms: readonly SourcedText[], hidden: boolean): DescribedSynonym[] {
  return synonyms.map(({ name, text, source }) => ({ name, value: hidden ? null : text, source }));
}

/** All settings of a topic that has these overrides. */
export function describeTopicConfigs(overrides: Texts, settings: BrokerSettings): DescribedConfig[] {
  const values = new TopicValues(overrides, settings);
  const listed = allTopicSettings.filter(({ isInternal, name }) => !isInternal || overrides.has(name));
  return listed.map((setting) => {
    const value = values.canonical(setting.name);
    const [first] = setting.synonyms as readonly string[];
    const inherited = first === undefined ? [] : shown(synonymsOf(first, settings), false);
    const synonyms = overrides.has(setting.name) ? [{ name: setting.name, value, source: configSources.topic }, ...inherited] : inherited;
    return {
      name: setting.name, value, readOnly: false, isSensitive: false, source: synonyms[0]?.source ?? configSources.default,
      type: TYPE_NUMBERS[setting.type], documentation: setting.prose, synonyms,
    };
  });
}

/** All settings of this broker, those in the file that nobody knows included; those that no file may have only where they were set. */
export function describeBrokerConfigs(settings: BrokerSettings): DescribedConfig[] {
  const known = allSettings().filter(({ isInternal, name }) => (!isInternal && !isRuntimeOnly(name)) || settings.text(name) !== findSetting(name)?.default);
  const all = new Set(known.map(({ name }) => name));
  for (const layer of [settings.file, settings.broker, settings.brokerDefaults]) for (const name of layer.keys()) all.add(name);
  return [...all].map((name) => describeBrokerConfig(name, settings, synonymsOf(name, settings)));
}

/** What was set for all brokers of the cluster. */
export function describeBrokerDefaults(settings: BrokerSettings): DescribedConfig[] {
  return [...settings.brokerDefaults.keys()].map((name) => {
    const synonyms = synonymsOf(name, settings).filter(({ source }) => source === configSources.dynamicDefault);
    return { ...describeBrokerConfig(name, settings, synonyms), value: isSensitive(findSetting(name)) ? null : (settings.brokerDefaults.get(name) ?? null) };
  });
}

function describeBrokerConfig(name: string, settings: BrokerSettings, synonyms: readonly SourcedText[]): DescribedConfig {
  const setting = findSetting(name);
  const hidden = isSensitive(setting);
  return {
    name,
    value: hidden ? null : settings.canonical(name),
    readOnly: setting === undefined || isReadOnly(setting),
    isSensitive: hidden,
    source: synonyms[0]?.source ?? configSources.default,
    type: setting === undefined ? UNKNOWN_TYPE : TYPE_NUMBERS[setting.type],
    documentation: isRuntimeOnly(name) ? null : (setting?.prose ?? null),
    synonyms: shown(synonyms, hidden),
  };
}
