// What is said in a conversation: steps that depend on a seed and on nothing else, so that the same are said to every broker.
import { type Api, type RequestInput } from '../../../src/protocol/api.js';
import { type FieldTable } from '../../../src/protocol/schema.js';
import { type Random } from '../../support/random.js';
import { type AnyApi, type Names, type Step } from './side.js';

export interface StepOptions {
  readonly isRead?: boolean;
  readonly hide?: (answer: any) => unknown;
  readonly member?: string;
}

export function step<Q extends FieldTable, S extends FieldTable>(
  api: Api<Q, S>, version: number, request: RequestInput<Api<Q, S>> | ((names: Names) => RequestInput<Api<Q, S>>), options: StepOptions = {},
): Step {
  const { isRead = false, ...more } = options;
  return {
    note: `${api.name} ${version}`,
    api: api as unknown as AnyApi,
    version,
    request: (typeof request === 'function' ? request : () => request) as (names: Names) => object,
    isRead,
    ...more,
  };
}

export function versionOf(random: Random, api: { readonly stableVersions: { readonly min: number; readonly max: number } }, least = 0): number {
  const min = Math.max(least, api.stableVersions.min);
  return min + random.below(api.stableVersions.max - min + 1);
}

/** Some of these, in any order, perhaps one twice. */
export function some<T>(random: Random, items: readonly T[], most: number, { mayBeNone = false } = {}): T[] {
  const count = (mayBeNone ? 0 : 1) + random.below(most);
  return Array.from({ length: count }, () => random.pick(items));
}

/** Mostly these, now and then those. */
export function mostly<T>(random: Random, usual: readonly T[], odd: readonly T[], chance = 0.15): T {
  return random.pick(random.chance(chance) ? odd : usual);
}
