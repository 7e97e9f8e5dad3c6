// Sluice and Apache Kafka as their users start them, but with retention that works within seconds.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createPartitionsApi, metadataApi } from '../../src/protocol/index.js';
import { BrokerProcess } from '../../test/support/broker.js';
import { KafkaClient } from '../../test/support/kafka-client.js';
import { type Effort } from '../suite/effort.js';
import { type Mode } from '../suite/measurement.js';
import { load } from './load.js';
import { settleDisk } from './page-cache.js';
import { type OpenTopic, retentionConfigs, type Target, type TopicRequest } from './target.js';

const GONE_WITHIN_MS = 60_000;
const MOST_AT_ONCE = 5000;

export type BrokerSide = 'sluice' | 'kafka';

/** For both sides: what retention deletes is gone within a second or two, and the journal goes round several times in a run. */
const COMMON: Readonly<Record<string, string>> = {
  'log.retention.check.interval.ms': '1000',
  'log.initial.task.delay.ms': '1000',
  'log.segment.delete.delay.ms': '1000',
  'log.cleaner.backoff.ms': '1000',
};
const OWN: Readonly<Record<BrokerSide, Readonly<Record<string, string>>>> = {
  sluice: { 'sluice.journal.bytes': String(128 << 20) },
  kafka: {},
};

/** 0 when it went meanwhile. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

export function brokerProperties(side: BrokerSide, given: Readonly<Record<string, string>>): Record<string, string> {
  return { ...COMMON, ...OWN[side], ...given };
}

export function durabilityConfigs(side: BrokerSide, mode: Mode): Record<string, string> {
  if (mode === 'fsync') return { 'flush.messages': '1' };
  return side === 'sluice' ? { 'sluice.durability': 'os' } : {};
}

export class BrokerTarget implements Target {
  readonly side: BrokerSide;
  readonly modes = ['os', 'fsync'] as const;
  readonly #broker: BrokerProcess;
  readonly #effort: Effort;

  private constructor(side: BrokerSide, broker: BrokerProcess, effort: Effort) {
    this.side = side;
    this.#broker = broker;
    this.#effort = effort;
  }

  /** Prepared, not started. */
  static async prepare(side: BrokerSide, properties: Readonly<Record<string, string>>, effort: Effort): Promise<BrokerTarget> {
    return new BrokerTarget(side, await BrokerProcess.prepare({ kind: side, properties: brokerProperties(side, properties), startTimeoutMs: 300_000 }), effort);
  }

  get directory(): string {
    return this.#broker.dataDirectory;
  }

  get port(): number {
    return this.#broker.port;
  }

  get bootstrap(): string {
    return this.#broker.bootstrap;
  }

  get pid(): number {
    return this.#broker.pid;
  }

  /** Milliseconds to the first answer to ApiVersions. */
  start(): Promise<number> {
    return this.#broker.start();
  }

  kill9(): Promise<void> {
    return this.#broker.kill9();
  }

  async stop(): Promise<void> {
    await this.#broker.stop(180_000);
  }

  dispose(): Promise<void> {
    return this.#broker.dispose();
  }

  cpuSeconds(): number {
    return this.#broker.process.cpuSeconds();
  }

  rssMb(): number {
    return this.#broker.process.rssBytes() / 1e6;
  }

  peakRssMb(): number {
    return this.#broker.process.peakRssBytes() / 1e6;
  }

  descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  maps(): number {
    return readFileSync(`/proc/${this.pid}/maps`, 'utf8').split('\n').length - 1;
  }

  /** What a topic's partitions take on the disk. */
  topicBytes(topic: string): number {
    return this.#folders(topic).flatMap((folder) => readdirSync(join(this.directory, folder)).map((name) => sizeOf(join(this.directory, folder, name)))).reduce((sum, size) => sum + size, 0);
  }

  /** Of its partitions, those of deleted ones until they have gone. */
  #folders(topic: string): string[] {
    return readdirSync(this.directory).filter((name) => name.startsWith(`${topic}-`));
  }

  /** Letting go of cached gigabytes takes seconds of CPU, a while after the topic was deleted: not the next case's. */
  async #lastFileGone(topic: string): Promise<void> {
    const deadline = performance.now() + GONE_WITHIN_MS;
    while (this.#folders(topic).length > 0) {
      if (performance.now() > deadline) throw new Error(`${this.side} keeps files of ${topic}, which was deleted ${GONE_WITHIN_MS / 1000} s ago`);
      await delay(20);
    }
    settleDisk(this.directory);
  }

  /** One request for 10,000 partitions is refused, by Kafka too. */
  async #grow({ name, partitions }: TopicRequest): Promise<void> {
    const client = await KafkaClient.connect(this.port);
    try {
      for (let count = 2 * MOST_AT_ONCE; ; count += MOST_AT_ONCE) {
        const topics = [{ name, count: Math.min(count, partitions), assignments: null }];
        const { results } = await client.ask(createPartitionsApi, 3, { topics, timeoutMs: 600_000, validateOnly: false });
        if (results[0]?.errorCode !== 0) throw new Error(`${this.side} does not give ${name} ${count} partitions: ${results[0]?.errorMessage}`);
        if (count >= partitions) break;
      }
      const isLed = async () => {
        const { topics } = await client.ask(metadataApi, 9, { topics: [{ name }] });
        return topics[0]?.partitions.length === partitions && topics[0].partitions.every(({ errorCode }) => errorCode === 0);
      };
      // Kafka tells of leaders before they take anything.
      while (!(await isLed()) || this.#folders(name).length < partitions) await delay(50);
      await load('await-produce', this.port, { '--topic': name, '--first-partition': partitions - 1, '--seconds': GONE_WITHIN_MS / 1000 });
    } finally {
      client.close();
    }
  }

  async open(topic: TopicRequest): Promise<OpenTopic> {
    const args = { '--topic': topic.name, '--partitions': topic.partitions };
    const configs = { ...retentionConfigs(topic.partitions, topic.retainBytes), ...durabilityConfigs(this.side, topic.mode), ...topic.configs };
    await load('create', this.port, { ...args, '--partitions': Math.min(topic.partitions, MOST_AT_ONCE) }, { configs, timeoutMs: 600_000 });
    if (topic.partitions > MOST_AT_ONCE) await this.#grow(topic);
    return {
      name: topic.name,
      partitions: topic.partitions,
      port: this.port,
      cpuSeconds: () => this.cpuSeconds(),
      close: async () => {
        await load('delete', this.port, args);
        // A quick run leaves little to let go of, and has no time to wait for it.
        if (!this.#effort.isQuick) await this.#lastFileGone(topic.name);
      },
    };
  }
}
