// Which values a setting may have, as data, with Kafka's own words for a value that it may not have: clients show them.

export type Range =
  | { readonly kind: 'number'; readonly min: number; readonly max?: number; readonly or?: number; readonly mayBeNull?: boolean }
  | { readonly kind: 'choice'; readonly of: readonly string[]; readonly ignoresCase?: boolean }
  | { readonly kind: 'choices'; readonly of: readonly string[]; readonly mayBeEmpty: boolean }
  /** A list without doubles. */
  | { readonly kind: 'list'; readonly mayBeEmpty: boolean; readonly text?: string }
  | { readonly kind: 'nonEmpty' }
  | { readonly kind: 'nonNull' }
  /** [partition]:[broker],... or *. */
  | { readonly kind: 'throttledReplicas' };

export const atLeast = (min: number): Range => ({ kind: 'number', min });
export const between = (min: number, max: number): Range => ({ kind: 'number', min, max });
export const oneOf = (...of: readonly string[]): Range => ({ kind: 'choice', of });
export const oneOfAnyCase = (...of: readonly string[]): Range => ({ kind: 'choice', of, ignoresCase: true });
export const someOf = (...of: readonly string[]): Range => ({ kind: 'choices', of, mayBeEmpty: false });
export const anyOf = (...of: readonly string[]): Range => ({ kind: 'choices', of, mayBeEmpty: true });
export const list: Range = { kind: 'list', mayBeEmpty: true };
export const filledList: Range = { kind: 'list', mayBeEmpty: false };
/** Kafka describes this one with a text, though it takes an empty one. */
export const endpointList: Range = { kind: 'list', mayBeEmpty: true, text: 'non-empty list' };
export const nonEmpty: Range = { kind: 'nonEmpty' };
export const nonNull: Range = { kind: 'nonNull' };
export const throttledReplicas: Range = { kind: 'throttledReplicas' };

/** The range in the short form in which Kafka's documentation has it. */
export function rangeText(range: Range): string {
  switch (range.kind) {
    case 'number': {
      const text = range.max === undefined ? `[${range.min},...]` : `[${range.min},...,${range.max}]`;
      return range.or === undefined ? text : `${text} or ${range.or}`;
    }
    case 'choice': return `${range.ignoresCase === true ? '(case insensitive) ' : ''}[${range.of.join(', ')}]`;
    case 'choices': return `[${range.of.join(', ')}]`;
    case 'list': return range.text ?? '';
    case 'nonEmpty': return 'non-empty string';
    case 'nonNull': return 'non-null string';
    case 'throttledReplicas': return '[partitionId]:[brokerId],[partitionId]:[brokerId],...';
  }
}
