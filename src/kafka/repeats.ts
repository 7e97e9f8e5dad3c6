// A few bytes of a request name a thing again, and its answer is as long each time: Kafka repeats it, here as often as one answer may.
import { plainError } from '../metadata/kafka-error.js';

/** Settings, members or offsets that an answer has told already, in one request. */
const MOST_REPEATED = 100_000;

/** What one request asks for by name, each put together once. */
export class Once<T> {
  readonly #made = new Map<string, T>();

  get(key: string, make: () => T): T {
    let made = this.#made.get(key);
    if (made === undefined) this.#made.set(key, (made = make()));
    return made;
  }
}

/** Counts what of an answer was told before: what is the same object. */
export class Repeats {
  readonly #told = new Set<object>();
  #repeated = 0;

  /** `size`: what `result` has of settings, members or offsets. Throws INVALID_REQUEST where it is one too many. */
  add(result: object, size: number): void {
    if (!this.#told.has(result)) {
      this.#told.add(result);
      return;
    }
    this.#repeated += 1 + size;
    if (this.#repeated > MOST_REPEATED) throw plainError('INVALID_REQUEST');
  }
}
