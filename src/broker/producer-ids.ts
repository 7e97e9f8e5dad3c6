// Producer ids out of blocks that the metadata log hands out: after a crash the rest of a block is lost, never used twice.
import { producerIdsRecord } from '../protocol/records/metadata/index.js';
import { KafkaError } from '../metadata/kafka-error.js';
import { makeRecord } from '../metadata/records.js';
import { type MetadataStore } from '../metadata/store.js';
import { type ProducerIdService } from '../kafka/services.js';

const BLOCK = 1000n;
const LARGEST = (1n << 63n) - 1n;

export class ProducerIds implements ProducerIdService {
  readonly #store: MetadataStore;
  readonly #brokerId: number;
  #next = 0n;
  #end = 0n;
  #refill: Promise<void> | undefined;

  constructor(store: MetadataStore, brokerId: number) {
    this.#store = store;
    this.#brokerId = brokerId;
  }

  async next(): Promise<bigint> {
    while (this.#next === this.#end) {
      this.#refill ??= this.#takeBlock().finally(() => {
        this.#refill = undefined;
      });
      await this.#refill;
    }
    return this.#next++;
  }

  async #takeBlock(): Promise<void> {
    const first = await this.#store.change((image) => {
      const { nextProducerId } = image;
      if (nextProducerId > LARGEST - BLOCK) throw new KafkaError('UNKNOWN_SERVER_ERROR', 'There are no producer ids left.');
      const record = makeRecord(producerIdsRecord, 0, {
        brokerId: this.#brokerId,
        brokerEpoch: image.brokers.get(this.#brokerId)?.epoch ?? -1n,
        nextProducerId: nextProducerId + BLOCK,
      });
      return { records: [record], result: nextProducerId };
    });
    this.#next = first;
    this.#end = first + BLOCK;
  }
}
