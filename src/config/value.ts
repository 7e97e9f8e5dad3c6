// Text of a setting to its value and back, as Kafka's ConfigDef does it, with the messages that Kafka's clients know.
import { type Range } from './range.js';
import { type Setting, type SettingType } from './setting.js';

export type SettingValue = boolean | number | string | readonly string[] | null;

/** The text of a setting is not a value that it may have. The message is Kafka's. */
export class InvalidValue extends Error {
  readonly setting: string;
  constructor(setting: string, message: string) {
    super(message);
    this.name = 'InvalidValue';
    this.setting = setting;
  }
}

function invalid(name: string, shown: string, why: string): never {
  throw new InvalidValue(name, `Invalid value ${shown} for configuration ${name}: ${why}`);
}

const INTEGER_BITS = { short: 16, int: 32, long: 64 } as const;

/** The value of a text; throws InvalidValue. */
export function parseValue(setting: Setting, text: string | null): SettingValue {
  const value = text === null ? null : parseText(setting.name, setting.type, text);
  if (setting.range !== undefined) checkRange(setting, setting.range, value, text);
  return value;
}

function parseText(name: string, type: SettingType, text: string): Exclude<SettingValue, null> {
  const trimmed = javaTrim(text);
  switch (type) {
    case 'boolean': {
      const lower = trimmed.toLowerCase();
      if (lower !== 'true' && lower !== 'false') invalid(name, text, 'Expected value to be either true or false');
      return lower === 'true';
    }
    case 'short':
    case 'int':
    case 'long': {
      const bits = INTEGER_BITS[type];
      const exact = parseLong(trimmed);
      if (exact === undefined || BigInt.asIntN(bits, exact) !== exact) invalid(name, text, `Not a number of type ${type.toUpperCase()}`);
      return Number(exact);
    }
    case 'double': {
      const number = parseJavaDouble(trimmed);
      return number ?? invalid(name, text, 'Not a number of type DOUBLE');
    }
    case 'list': return splitList(trimmed);
    case 'string':
    case 'class':
    case 'password': return trimmed;
  }
}

// Texts come from clients and may be long: each of these is done with a character once, which a pattern that looks for blanks at the end is not.

export function splitList(trimmed: string): readonly string[] {
  if (trimmed === '') return [];
  const parts = trimmed.split(',');
  const last = parts.length - 1;
  return parts.map((part, index) => trim(part, isJavaSpace, index > 0, index < last));
}

/** Java takes every character up to the space for blank. */
function javaTrim(text: string): string {
  return trim(text, (code) => code <= 0x20, true, true);
}

/** What Java's patterns mean by \s. */
function isJavaSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

function trim(text: string, isBlank: (code: number) => boolean, atBegin: boolean, atEnd: boolean): string {
  let begin = 0;
  let end = text.length;
  while (atBegin && begin < end && isBlank(text.charCodeAt(begin))) begin += 1;
  while (atEnd && end > begin && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(begin, end);
}

const MOST_DIGITS_OF_A_LONG = 19;

/** Undefined: not a number, or far from being a long. */
function parseLong(text: string): bigint | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const digits = text.replace(/^[+-]?0*/, '');
  if (digits.length > MOST_DIGITS_OF_A_LONG) return undefined;
  return text.startsWith('-') ? -BigInt(digits) : BigInt(digits);
}

function parseJavaDouble(text: string): number | undefined {
  if (/^[+-]?(NaN|Infinity)$/.test(text)) return text.endsWith('NaN') ? NaN : text.startsWith('-') ? -Infinity : Infinity;
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?[fFdD]?$/.test(text)) return undefined;
  return Number(text.replace(/[fFdD]$/, ''));
}

function checkRange({ name, type }: Setting, range: Range, value: SettingValue, text: string | null): void {
  switch (range.kind) {
    case 'number': return checkNumber(name, range, value, shownNumber(type, value, text));
    case 'choice': {
      const texts = range.ignoresCase === true ? range.of.map((each) => each.toUpperCase()) : range.of;
      const text = range.ignoresCase === true && typeof value === 'string' ? value.toUpperCase() : value;
      if (typeof text === 'string' && texts.includes(text)) return;
      return invalid(name, String(value), `String must be one of${range.ignoresCase === true ? ' (case insensitive)' : ''}: ${range.of.join(', ')}`);
    }
    case 'choices': {
      if (value === null) return;
      const wrong = (value as readonly string[]).find((each) => !range.of.includes(each));
      if (wrong !== undefined && wrong !== '') invalid(name, wrong, `String must be one of: ${range.of.join(', ')}`);
      return checkList(name, range.mayBeEmpty, value, `[${range.of.join(', ')}]`);
    }
    case 'list': return value === null ? undefined : checkList(name, range.mayBeEmpty, value, 'any non-empty value');
    case 'nonEmpty': return value === '' ? invalid(name, '', 'String must be non-empty') : undefined;
    case 'nonNull': return value === null ? invalid(name, 'null', 'entry must be non null') : undefined;
    case 'throttledReplicas': {
      const parts = value as readonly string[];
      if (parts.length === 1 && parts[0] === '*') return;
      if (parts.every((part) => part === '' || /^\d+:\d+$/.test(part))) return;
      const form = '[partitionId]:[brokerId],[partitionId]:[brokerId],...';
      return invalid(name, `[${parts.join(', ')}]`, `${name} must be the literal '*' or a list of replicas in the following format: ${form}`);
    }
  }
}

function shownNumber(type: SettingType, value: SettingValue, text: string | null): string {
  if (typeof value !== 'number' || text === null) return 'null';
  return type === 'double' ? javaDouble(value) : integerText(text);
}

/** Not by way of a number: a long may have more digits than a number can hold. */
function integerText(text: string): string {
  return String(parseLong(javaTrim(text)));
}

function checkNumber(name: string, range: Extract<Range, { kind: 'number' }>, value: SettingValue, shown: string): void {
  if (value === null && range.mayBeNull === true) return;
  if (typeof value !== 'number') return invalid(name, 'null', 'Value must be non-null');
  if (range.or !== undefined) {
    const max = range.max ?? Infinity;
    if (value !== range.or && (value < range.min || value > max)) {
      invalid(name, shown, `Value must be between ${range.min} and ${max} or equal to ${range.or}`);
    }
    return;
  }
  if (value < range.min) invalid(name, shown, `Value must be at least ${range.min}`);
  if (range.max !== undefined && value > range.max) invalid(name, shown, `Value must be no more than ${range.max}`);
}

function checkList(name: string, mayBeEmpty: boolean, value: SettingValue, valid: string): void {
  const parts = value as readonly string[];
  if (parts.length === 0 && !mayBeEmpty) {
    throw new InvalidValue(name, `Configuration '${name}' must not be empty. Valid values include: ${valid}`);
  }
  if (parts.includes('')) throw new InvalidValue(name, `Configuration '${name}' values must not be empty.`);
}

/** A valid text as Kafka shows it: trimmed, numbers in their usual form, a list without blanks and doubles. */
export function canonicalText(setting: Setting, text: string | null): string | null {
  if (text === null) return null;
  if (setting.type === 'short' || setting.type === 'int' || setting.type === 'long') return integerText(text);
  const value = parseValue(setting, text);
  if (typeof value === 'number') return javaDouble(value);
  if (typeof value === 'object' && value !== null) return [...new Set(value)].join(',');
  return String(value);
}

/** As Java writes a double: always with a point, and with an exponent below 1e-3 and from 1e7. */
export function javaDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) {
    const [digits = '', exponent = ''] = value.toExponential().split('e');
    return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent.replace('+', '')}`;
  }
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}
