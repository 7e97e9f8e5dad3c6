// Partitions whose files could not be made when their topic was, for want of space or descriptors, are tried again until they can be.
import { type MetadataImage } from '../metadata/image.js';
import { type MetadataStore } from '../metadata/store.js';
import { type Logger } from '../kafka/services.js';
import { messageOf } from './errors.js';
import { type Publisher } from './publisher.js';

const AGAIN_MS = 5_000;

export interface ReopeningOptions {
  readonly store: MetadataStore;
  readonly publisher: Publisher;
  readonly log: Logger;
  /** Some partitions are served that were not. */
  onReopened(image: MetadataImage): void;
}

export class Reopening {
  readonly #options: ReopeningOptions;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: ReopeningOptions) {
    this.#options = options;
  }

  /** Tries again in a while if that could help any partition. */
  offer(): void {
    if (this.#timer !== undefined || this.#isClosed || !this.#options.publisher.lacksSome) return;
    this.#timer = setTimeout(() => void this.#run(), AGAIN_MS).unref();
  }

  /** No try begins from now on; one that is under way is a change that the store waits for. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    const { store, publisher, log, onReopened } = this.#options;
    try {
      await store.between(async (image) => {
        if (!this.#isClosed && await publisher.reopen(image)) onReopened(image);
      });
    } catch (error) {
      log.error(`partitions that are offline could not be tried again: ${messageOf(error)}`);
    }
    this.#timer = undefined;
    this.offer();
  }
}
