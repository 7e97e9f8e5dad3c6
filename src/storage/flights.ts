// Appends that are under way in the engine, each with a promise of its own.
import { type AppendOutcome, type NativeErrorInfo } from '../native/binding.js';

/** Numbers in one group of onAppended: flight, first append, number of appends, offset of the first record or a failure, log append time. */
const GROUP_NUMBERS = 5;
const SAFE = BigInt(Number.MAX_SAFE_INTEGER) - 2n ** 32n;

export interface Waiting {
  readonly promise: Promise<AppendOutcome>;
  readonly resolve: (outcome: AppendOutcome) => void;
  readonly reject: (error: Error) => void;
  readonly records: number;
}

export function ignore(): void {}

// A program may look at one of an append's promises only, or at none: its failure must not end the process.
function reject(waiting: Waiting, error: Error): void {
  waiting.promise.catch(ignore);
  waiting.reject(error);
}

/**
 * The engine's events hold this, so it must not hold the engine, or a forgotten log would never be closed by the garbage collector; while something
 * is under way it must, or nobody would answer.
 */
export class Flights {
  readonly #flights = new Map<number, { engine: object; appends: readonly Waiting[]; bytes: number; left: number }>();
  readonly #toError: (failure: NativeErrorInfo) => Error;
  #last = 0;
  /** What is under way, with what is not packed. */
  pendingBytes = 0;

  constructor(toError: (failure: NativeErrorInfo) => Error) {
    this.#toError = toError;
  }

  /** The number under which these will be answered. */
  add(appends: readonly Waiting[], bytes: number, engine: object): number {
    this.#last += 1;
    this.pendingBytes += bytes;
    this.#flights.set(this.#last, { engine, appends, bytes, left: appends.length });
    return this.#last;
  }

  onAppended(groups: BigInt64Array, failures: readonly NativeErrorInfo[]): void {
    for (let at = 0; at < groups.length; at += GROUP_NUMBERS) {
      const first = Number(groups[at + 1]);
      const appends = this.#land(Number(groups[at]), first, Number(groups[at + 2]));
      const base = groups[at + 3]!;
      const logAppendTimeMs = Number(groups[at + 4]);
      if (base < 0n) {
        const error = this.#toError(failures[Number(-1n - base)]!);
        for (const waiting of appends) reject(waiting, error);
      } else if (base < SAFE) {
        let next = Number(base);
        for (const waiting of appends) {
          const baseOffset = BigInt(next);
          next += waiting.records;
          waiting.resolve({ baseOffset, lastOffset: waiting.records === 1 ? baseOffset : BigInt(next - 1), logAppendTimeMs });
        }
      } else {
        let next = base;
        for (const waiting of appends) {
          const baseOffset = next;
          next += BigInt(waiting.records);
          waiting.resolve({ baseOffset, lastOffset: next - 1n, logAppendTimeMs });
        }
      }
    }
  }

  /** The engine is closed: nobody will answer any more. */
  close(): void {
    const error = this.#toError({ code: 'closed', message: 'the log was closed' });
    const flights = [...this.#flights.values()];
    this.#flights.clear();
    for (const { appends } of flights) for (const waiting of appends) reject(waiting, error);
  }

  #land(flight: number, first: number, count: number): readonly Waiting[] {
    const known = this.#flights.get(flight);
    if (known === undefined) return [];
    known.left -= count;
    if (known.left === 0) {
      this.#flights.delete(flight);
      this.pendingBytes -= known.bytes;
    }
    return count === known.appends.length ? known.appends : known.appends.slice(first, first + count);
  }
}
