// The settings that are in effect: the file's, with what the metadata says was changed while running.
import { type BrokerConfig } from '../config/broker-config.js';
import { ConfigError } from '../config/config-error.js';
import { configRules } from '../config/dynamic.js';
import { describeBrokerConfigs, describeBrokerDefaults, describeTopicConfigs } from '../config/describe.js';
import { type BrokerSettings, type Texts } from '../config/layered.js';
import { PER_IP_OVERRIDES, perIpOverrides } from '../config/per-ip.js';
import { findSetting, findTopicSetting } from '../config/settings/index.js';
import { type Setting } from '../config/setting.js';
import { InvalidValue, parseValue } from '../config/value.js';
import { TopicValues } from '../config/topic-values.js';
import { type LogSettings } from '../native/binding.js';
import { type ResourceChange, planConfigChanges } from '../metadata/configs.js';
import { type ConfigOverrides, type MetadataImage, overridesOf, resourceTypes } from '../metadata/image.js';
import { type MetadataStore } from '../metadata/store.js';
import { type Outcome } from '../metadata/topics.js';
import { type ConfigEntry, type ConfigService, type Logger } from '../kafka/services.js';
import { logSettings } from './log-settings.js';

/** The settings as of an image. Values that are not valid here, left by another program, do not count; each is named once. */
export class EffectiveSettings {
  readonly #config: BrokerConfig;
  readonly #log: Logger;
  readonly #warned = new Set<string>();
  #image: MetadataImage['configs'] | undefined;
  #settings: BrokerSettings;
  /** Most topics have no settings of their own. */
  #plainLog: LogSettings | undefined;

  constructor(config: BrokerConfig, log: Logger) {
    this.#config = config;
    this.#log = log;
    this.#settings = config.settings;
  }

  /** The broker's, as of this image. */
  of(image: MetadataImage): BrokerSettings {
    if (this.#image === image.configs) return this.#settings;
    const { nodeId, settings } = this.#config;
    const own = this.#valid(overridesOf(image, resourceTypes.broker, String(nodeId)), findSetting, `broker ${nodeId}`);
    const all = this.#valid(overridesOf(image, resourceTypes.broker, ''), findSetting, 'all brokers');
    this.#image = image.configs;
    if (!sameTexts(own, this.#settings.broker) || !sameTexts(all, this.#settings.brokerDefaults)) {
      this.#settings = settings.withDynamic(own, all);
      this.#plainLog = undefined;
    }
    return this.#settings;
  }

  logSettings(topic: string, overrides: ConfigOverrides, image: MetadataImage): LogSettings {
    const settings = this.of(image);
    if (overrides.size === 0) return (this.#plainLog ??= logSettings(overrides, settings));
    return logSettings(this.#valid(overrides, findTopicSetting, `topic ${topic}`), settings);
  }

  #valid(overrides: ConfigOverrides, find: (name: string) => Setting | undefined, owner: string): Texts {
    const valid = new Map<string, string>();
    for (const [name, text] of overrides) {
      const setting = find(name);
      try {
        if (setting !== undefined) parseValue(setting, text);
        if (name === PER_IP_OVERRIDES) perIpOverrides(text);
        valid.set(name, text);
      } catch (error) {
        if (!(error instanceof InvalidValue || error instanceof ConfigError)) throw error;
        const key = `${owner} ${name} ${text}`;
        if (!this.#warned.has(key)) this.#log.warn(`${owner}: ${name}=${text} is not valid and does not count: ${error.message}`);
        this.#warned.add(key);
      }
    }
    return valid;
  }
}

function sameTexts(a: Texts, b: Texts): boolean {
  return a.size === b.size && [...a].every(([name, text]) => b.get(name) === text);
}

export class Configs implements ConfigService {
  readonly #store: MetadataStore;
  readonly #effective: EffectiveSettings;
  readonly #rules: ReturnType<typeof configRules>;
  /** What a topic without settings of its own has, which is asked for again and again. */
  #plainTopic: { readonly settings: BrokerSettings; readonly entries: readonly ConfigEntry[] } | undefined;

  constructor(store: MetadataStore, effective: EffectiveSettings, nodeId: number) {
    this.#store = store;
    this.#effective = effective;
    this.#rules = configRules(nodeId, () => this.settings);
  }

  /** The broker's, as of now. */
  get settings(): BrokerSettings {
    return this.#effective.of(this.#store.image);
  }

  describeTopic(overrides: ConfigOverrides): readonly ConfigEntry[] {
    const { settings } = this;
    if (overrides.size > 0) return describeTopicConfigs(overrides, settings);
    if (this.#plainTopic?.settings !== settings) {
      this.#plainTopic = { settings, entries: describeTopicConfigs(overrides, settings) };
    }
    return this.#plainTopic.entries;
  }

  describeBroker(): readonly ConfigEntry[] {
    return describeBrokerConfigs(this.settings);
  }

  describeBrokerDefaults(): readonly ConfigEntry[] {
    return describeBrokerDefaults(this.settings);
  }

  deletesRecords(topic: string): boolean {
    const overrides = overridesOf(this.#store.image, resourceTypes.topic, topic);
    const policy = new TopicValues(overrides, this.settings).get('cleanup.policy');
    return policy.includes('delete') || !policy.includes('compact');
  }

  topicProblem(overrides: ConfigOverrides): string | null {
    return this.#rules.problem(resourceTypes.topic, '', overrides);
  }

  change(resources: readonly ResourceChange[], validateOnly: boolean): Promise<Outcome<void>[]> {
    return this.#store.change((image) => {
      const plan = planConfigChanges(image, resources, this.#rules);
      return validateOnly ? { records: [], result: plan.result } : plan;
    });
  }
}
