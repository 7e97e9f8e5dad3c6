// Values that settings have, by where they come from: set for this broker while it ran, set for all brokers, the file, the default.
import { type Setting } from './setting.js';
import { type SettingName, type SettingValueOf, findSetting } from './settings/index.js';
import { type SettingValue, canonicalText, parseValue } from './value.js';

export type Texts = ReadonlyMap<string, string>;

/** The protocol's numbers. */
export const configSources = {
  topic: 1, dynamicBroker: 2, dynamicDefault: 3, static: 4, default: 5,
} as const;

export interface SourcedText {
  readonly name: string;
  readonly text: string;
  readonly source: number;
}

const NONE: Texts = new Map();

/** The broker's settings. Immutable: a change makes a new one. All texts in it are valid. */
export class BrokerSettings {
  /** What the file and the command line say. */
  readonly file: Texts;
  readonly broker: Texts;
  readonly brokerDefaults: Texts;
  readonly #values = new Map<string, SettingValue>();

  constructor(file: Texts, broker: Texts = NONE, brokerDefaults: Texts = NONE) {
    this.file = file;
    this.broker = broker;
    this.brokerDefaults = brokerDefaults;
  }

  /** With what clients set while the broker ran: for this broker, and for all brokers. */
  withDynamic(broker: Texts, brokerDefaults: Texts): BrokerSettings {
    return new BrokerSettings(this.file, broker, brokerDefaults);
  }

  get<Name extends SettingName>(name: Name): SettingValueOf<Name> {
    return this.value(name) as SettingValueOf<Name>;
  }

  /** By a name that is not known at compile time; it must be one of the table's. */
  value(name: string): SettingValue {
    let value = this.#values.get(name);
    if (value === undefined) {
      const setting = known(name);
      value = parseValue(setting, this.text(name));
      this.#values.set(name, value);
    }
    return value;
  }

  /** The text that counts. */
  text(name: string): string | null {
    return this.sources(name)[0]?.text ?? null;
  }

  /** Everything that is said of a setting, what counts first. */
  sources(name: string): readonly SourcedText[] {
    const layers: readonly [string | null | undefined, number][] = [
      [this.broker.get(name), configSources.dynamicBroker],
      [this.brokerDefaults.get(name), configSources.dynamicDefault],
      [this.file.get(name), configSources.static],
      [findSetting(name)?.default, configSources.default],
    ];
    return layers.flatMap(([text, source]) => (text === undefined || text === null ? [] : [{ name, text, source }]));
  }

  /** The text that counts, as Kafka shows it. */
  canonical(name: string): string | null {
    return canonicalText(known(name), this.text(name));
  }
}

function known(name: string): Setting {
  const setting = findSetting(name);
  if (setting === undefined) throw new Error(`${name} is not in the table of settings`);
  return setting;
}
