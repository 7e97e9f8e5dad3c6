// What one row of the table of settings is. Names, types, defaults and ranges are Apache Kafka's; prose and use are Sluice's.
import { type Range } from './range.js';

export type SettingType = 'boolean' | 'string' | 'int' | 'short' | 'long' | 'double' | 'list' | 'password' | 'class';

/** Where a setting can be changed while the broker runs. */
export type UpdateMode = 'read-only' | 'per-broker' | 'cluster-wide';

/**
 * served: it does what it says. ignored: it tunes something that Sluice does not have; accepted, and named once at start.
 * refused: any value other than the default would be about safety or topology that Sluice does not offer; ends the start.
 */
export type SettingUse = 'served' | 'ignored' | 'refused';

export type Importance = 'high' | 'medium' | 'low';

export interface Setting<Name extends string = string, Type extends SettingType = SettingType, Default extends string | null = string | null> {
  readonly name: Name;
  readonly type: Type;
  /** As it would be written; null: not set. */
  readonly default: Default;
  readonly importance: Importance;
  readonly use: SettingUse;
  /** What it does, and for those ignored or refused why. */
  readonly prose: string;
  readonly range: Range | undefined;
  readonly update: UpdateMode;
  /** Kafka has it, but neither documents it nor tells it to clients. */
  readonly isInternal: boolean;
}

export interface SettingDetails {
  readonly importance?: Importance;
  readonly range?: Range;
  readonly update?: UpdateMode;
  readonly isInternal?: boolean;
}

export function define<const Name extends string, const Type extends SettingType, const Default extends string | null>(
  name: Name, type: Type, defaultValue: Default, use: SettingUse, prose: string, details: SettingDetails = {},
): Setting<Name, Type, Default> {
  const { importance = 'medium', range, update = 'read-only', isInternal = false } = details;
  return { name, type, default: defaultValue, importance, use, prose, range, update, isInternal };
}

interface ValueOfType {
  boolean: boolean;
  string: string;
  int: number;
  short: number;
  /** Above 2^53 it is a little less than written, which only values that mean "no limit" are. */
  long: number;
  double: number;
  list: readonly string[];
  password: string;
  class: string;
}

/** The type of a setting's value in TypeScript. */
export type ValueOf<S extends Setting> = ValueOfType[S['type']] | (S['default'] extends null ? null : never);
