import { type Setting, type SettingDetails, type SettingType, type SettingUse, define } from './setting.js';

/** A setting of a topic. Where the topic does not have it, the first of the synonyms that the broker has counts. */
export interface TopicSetting<Name extends string = string, Type extends SettingType = SettingType, Default extends string | null = string | null>
  extends Setting<Name, Type, Default> {
  /** Settings of the broker, most important first; minutes and hours are converted. */
  readonly synonyms: readonly string[];
}

export function defineTopic<const Name extends string, const Type extends SettingType, const Default extends string | null>(
  name: Name, type: Type, defaultValue: Default, use: SettingUse, prose: string, details: SettingDetails & { readonly synonyms: readonly string[] },
): TopicSetting<Name, Type, Default> {
  return { ...define(name, type, defaultValue, use, prose, details), synonyms: details.synonyms };
}
