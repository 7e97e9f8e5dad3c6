// Appends on their way into the engine: those of one turn of the event loop cross together, become as few batches as their partitions and codecs
// allow, and are answered one by one.
import { type AppendOutcome, type NativeEngine, type RecordInput } from '../native/binding.js';
import { LogError, toLogError } from './errors.js';
import { type Flights, type Waiting, ignore } from './flights.js';
import { type PackOptions, PackedAppends } from './packed-appends.js';

/** Packed bytes that wait no longer for the end of the turn. */
const ENOUGH_BYTES = 1 << 20;

/** A promise that has failed already; nobody has to look at it. */
export function failed(error: unknown): Promise<never> {
  const promise = Promise.reject(toLogError(error));
  promise.catch(ignore);
  return promise;
}

export class Appender {
  readonly #engine: Pick<NativeEngine, 'appendPacked'>;
  readonly #topicId: string;
  readonly #flights: Flights;
  readonly #packed = new PackedAppends();
  readonly #depart = (): void => this.flush();
  readonly #maxPendingBytes: number;
  #boarding: Waiting[] = [];

  /** Appends are refused while `maxPendingBytes` of earlier ones are under way. */
  constructor(engine: Pick<NativeEngine, 'appendPacked'>, topicId: string, flights: Flights, maxPendingBytes = Infinity) {
    this.#maxPendingBytes = maxPendingBytes;
    this.#engine = engine;
    this.#topicId = topicId;
    this.#flights = flights;
  }

  /** Why nothing can be appended now. */
  refusal(): LogError | undefined {
    const pending = this.#flights.pendingBytes + this.#packed.length;
    if (pending < this.#maxPendingBytes) return undefined;
    return new LogError('ERR_SLUICE_BUSY', `${pending} bytes wait to be written, and maxPendingBytes is ${this.#maxPendingBytes}: await earlier appends`);
  }

  append(partition: number, records: readonly RecordInput[], options: PackOptions): Promise<AppendOutcome> {
    const refusal = this.refusal();
    if (refusal !== undefined) return failed(refusal);
    try {
      this.#packed.add(partition, records, options);
    } catch (error) {
      return failed(error);
    }
    let resolve: Waiting['resolve'] = ignore;
    let rejectIt: Waiting['reject'] = ignore;
    const promise = new Promise<AppendOutcome>((onOutcome, onError) => {
      resolve = onOutcome;
      rejectIt = onError;
    });
    // Behind everything that the program does in this turn, the continuations of other appends included.
    if (this.#boarding.length === 0) process.nextTick(this.#depart);
    this.#boarding.push({ promise, resolve, reject: rejectIt, records: records.length });
    if (this.#packed.length >= ENOUGH_BYTES) this.flush();
    return promise;
  }

  /** Hands over what waits for the end of the turn, so that whatever is asked of the engine next comes behind it. */
  flush(): void {
    if (this.#boarding.length === 0) return;
    const appends = this.#boarding;
    this.#boarding = [];
    const packed = this.#packed.take();
    this.#engine.appendPacked(this.#topicId, this.#flights.add(appends, packed.length, this.#engine), appends.length, packed);
  }
}
