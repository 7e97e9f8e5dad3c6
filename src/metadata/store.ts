// The one writer of the metadata log. A change is planned on the newest image, written, and answered when it is durable
// and the data plane has taken it over: nobody ever sees metadata that a power cut could take back.
import { type MetadataImage } from './image.js';
import { applyRecords } from './apply.js';
import { KafkaError } from './kafka-error.js';
import { type NewRecord } from './records.js';

export interface MetadataLog {
  /** Appends one batch; resolves with its first offset when it is durable. */
  append(records: readonly Buffer[]): Promise<bigint>;
}

/** Makes the data plane be as `after` says; it was as `before` said. Resolves when that is so. */
export type Publish = (before: MetadataImage, after: MetadataImage) => Promise<void>;

export interface Plan<R> {
  readonly records: readonly NewRecord[];
  readonly result: R;
}

interface Waiting {
  readonly records: readonly Buffer[];
  readonly bytes: number;
  readonly after: MetadataImage;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Kafka's controllers read back no larger batches than this. */
const MAX_BATCH_BYTES = 4 << 20;
const MAX_BATCH_RECORDS = 20_000;
/** A change is one batch, and the log takes no larger one. */
const MAX_CHANGE_BYTES = 8_000_000;

export interface MetadataStoreOptions {
  readonly image: MetadataImage;
  readonly log: MetadataLog;
  readonly publish: Publish;
}

export class MetadataStore {
  readonly #log: MetadataLog;
  readonly #publish: Publish;
  /** With everything that was planned, written or not. */
  #latest: MetadataImage;
  /** What is durable, and what the data plane serves. */
  #image: MetadataImage;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  constructor(options: MetadataStoreOptions) {
    this.#log = options.log;
    this.#publish = options.publish;
    this.#image = options.image;
    this.#latest = options.image;
  }

  /** What is durable and served. */
  get image(): MetadataImage {
    return this.#image;
  }

  /**
   * Plans a change on the newest image, where changes that are still being written count as made, and carries it out.
   * What `plan` throws is the caller's. A plan without records waits for the ones before it all the same, since it may
   * rest on them.
   */
  change<R>(plan: (image: MetadataImage) => Plan<R>): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const { records, result } = plan(this.#latest);
      if (records.length === 0 && this.#running === undefined) {
        resolve(result);
        return;
      }
      const bytes = records.reduce((sum, record) => sum + record.bytes.length, 0);
      if (bytes > MAX_CHANGE_BYTES) throw new KafkaError('MESSAGE_TOO_LARGE', `The change takes ${bytes} bytes of metadata, and one may take ${MAX_CHANGE_BYTES}.`);
      this.#latest = applyRecords(this.#latest, records.map(({ record }) => record));
      this.#waiting.push({
        records: records.map(({ bytes }) => bytes),
        bytes,
        after: this.#latest,
        resolve: () => resolve(result),
        reject,
      });
      this.#running ??= this.#run();
    });
  }

  /** Does `work` on what is served while no change is carried out; changes wait until it is done. */
  async between(work: (image: MetadataImage) => Promise<void>): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    const done = work(this.#image);
    this.#running = done.catch(() => {}).then(() => this.#run());
    await done;
  }

  /** Resolves when everything that was asked for before has been carried out or has failed. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Changes that come in the same turn of the event loop share a batch.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#carryOut(group);
      } catch (error) {
        // What waits was planned on what has just failed.
        const failed = [...group, ...this.#waiting.splice(0)];
        this.#latest = this.#image;
        for (const { reject } of failed) reject(error);
        continue;
      }
      for (const { resolve } of group) resolve();
    }
    this.#running = undefined;
  }

  #takeGroup(): Waiting[] {
    let bytes = 0;
    let records = 0;
    let count = 0;
    for (const waiting of this.#waiting) {
      bytes += waiting.bytes;
      records += waiting.records.length;
      if (count > 0 && (bytes > MAX_BATCH_BYTES || records > MAX_BATCH_RECORDS)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #carryOut(group: readonly Waiting[]): Promise<void> {
    const records = group.flatMap((waiting) => waiting.records);
    const after = group[group.length - 1]!.after;
    if (records.length === 0) return;
    const base = await this.#log.append(records);
    const before = this.#image;
    if (base !== before.offset + 1n) {
      throw new Error(`metadata was written at offset ${base}, expected at ${before.offset + 1n}`);
    }
    try {
      await this.#publish(before, after);
    } finally {
      // It is in the log, whatever became of the rest.
      this.#image = after;
    }
  }
}
