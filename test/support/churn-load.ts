// Several at once who make, use and give back everything that a broker holds for clients: topics, groups, connections; and one who never stops writing.
import { setTimeout as delay } from 'node:timers/promises';
import { createTopicsApi, listGroupsApi, metadataApi } from '../../src/protocol/index.js';
import { buildBatch } from '../../src/protocol/records/batch.js';
import { SESSION_MS, deleteGroup, liveGroup } from './churn-group.js';
import { TOPIC_KINDS, deleteTopics, liveTopic, produceBatch } from './churn-topic.js';
import { VISIT_KINDS, visit } from './churn-visits.js';
import { type ChurnCounts, type ChurnWorld, churnWorld, connect, expectError } from './churn-world.js';
import { type KafkaClient } from './kafka-client.js';
import { Random } from './random.js';

const MIB = 1 << 20;

/** Everything comes soon and often. */
export const CHURN_PROPERTIES = {
  'sluice.durability': 'fsync',
  'sluice.journal.bytes': String(16 * MIB),
  'sluice.scrub.interval.ms': '20000',
  'log.segment.bytes': String(MIB),
  'log.retention.check.interval.ms': '500',
  'log.initial.task.delay.ms': '0',
  'log.segment.delete.delay.ms': '500',
  'log.cleaner.backoff.ms': '200',
  'offsets.topic.num.partitions': '2',
  'offsets.topic.segment.bytes': String(MIB),
  'offsets.retention.minutes': '1',
  'offsets.retention.check.interval.ms': '1000',
  'producer.id.expiration.ms': '10000',
  'metadata.log.segment.bytes': String(8 * MIB),
  'metadata.log.max.record.bytes.between.snapshots': String(MIB),
  'metadata.max.retention.bytes': String(4 * MIB),
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': String(SESSION_MS),
  'max.incremental.fetch.session.cache.slots': '32',
} as const;

const WORKERS = 6;
const PAUSE_MS = 30;
const STEADY_TOPIC = 'churn-steady';
const STEADY_IN_FLIGHT = 3;
const STEADY_BYTES = 500;

export class ChurnLoad {
  readonly #world: ChurnWorld;
  readonly #random: Random;
  #lastNumber = 0;
  #failure: unknown;

  constructor(port: number, seed: number) {
    this.#world = churnWorld(port);
    this.#random = new Random(seed);
  }

  get counts(): Readonly<ChurnCounts> {
    return this.#world.counts;
  }

  /** One of each kind after the other, then all at once. */
  async warmUp(ms: number, topics: number): Promise<void> {
    for (const live of this.#kinds()) await live(this.#random);
    await this.churn(ms, topics);
  }

  /** At random for so long, until there have been so many topics, and until what was begun has come to its end. */
  async churn(ms: number, topics = 0): Promise<void> {
    const deadline = performance.now() + ms;
    const isOver = () => this.#failure !== undefined || (performance.now() >= deadline && this.#world.counts.topics >= topics);
    await Promise.all(Array.from({ length: WORKERS }, async () => {
      const random = new Random(this.#random.uint32());
      while (!isOver()) {
        await this.#one(random).catch((error: unknown) => (this.#failure ??= error));
        await delay(random.below(PAUSE_MS));
      }
    }));
    await Promise.all(this.#world.idle).catch((error: unknown) => (this.#failure ??= error));
    if (this.#failure !== undefined) throw this.#failure;
  }

  #kinds(): readonly ((random: Random) => Promise<void>)[] {
    const world = this.#world;
    const named = (what: string) => `${what}-${(this.#lastNumber += 1)}`;
    return [
      ...TOPIC_KINDS.map((kind) => (random: Random) => liveTopic(world, random, named('churn'), kind)),
      (random) => liveGroup(world, random, named('group')),
      ...VISIT_KINDS.map((kind) => (random: Random) => visit(world, random, kind)),
    ];
  }

  #one(random: Random): Promise<void> {
    const draw = random.fraction();
    const [topics, groups, visits] = [TOPIC_KINDS.length, 1, VISIT_KINDS.length] as const;
    const at = draw < 0.5 ? random.below(topics) : draw < 0.75 ? topics : topics + groups + random.below(visits);
    return this.#kinds()[at]!(random);
  }

  /** While `work` goes on somebody writes to a topic of its own, so that the broker is never idle. */
  async whileWriting(work: () => Promise<void>): Promise<void> {
    const client = await connect(this.#world);
    let isOver = false;
    try {
      const { topics } = await client.ask(createTopicsApi, 5, {
        topics: [{ name: STEADY_TOPIC, numPartitions: 1, replicationFactor: 1, configs: [{ name: 'retention.bytes', value: String(4 * MIB) }] }], timeoutMs: 60_000,
      });
      expectError('CreateTopics', topics[0]?.errorCode, 'NONE');
      const writing = this.#write(client, () => isOver);
      writing.catch((error: unknown) => (this.#failure ??= error));
      try {
        await work();
      } finally {
        isOver = true;
        await writing.catch(() => {});
      }
      if (this.#failure !== undefined) throw this.#failure;
      await deleteTopics(client, [STEADY_TOPIC]);
    } finally {
      client.close();
    }
  }

  async #write(client: KafkaClient, isOver: () => boolean): Promise<void> {
    const value = Buffer.alloc(STEADY_BYTES, 1);
    await Promise.all(Array.from({ length: STEADY_IN_FLIGHT }, async () => {
      while (!isOver()) {
        const records = buildBatch({ records: [{ key: null, value }], timestamp: BigInt(Date.now()) });
        await produceBatch(client, STEADY_TOPIC, 0, records);
        this.#world.counts.records += 1;
      }
    }));
  }

  /** Deletes what is left of topics, but for the one that is always written to, and of groups. */
  async clear(): Promise<void> {
    const client = await connect(this.#world);
    try {
      const { topics } = await client.ask(metadataApi, 9, { topics: null, allowAutoTopicCreation: false });
      await deleteTopics(client, topics.flatMap(({ name, isInternal }) => (name === null || isInternal || name === STEADY_TOPIC ? [] : [name])));
      const { groups } = await client.ask(listGroupsApi, 4, {});
      for (const { groupId } of groups) await deleteGroup(client, groupId);
    } finally {
      client.close();
    }
  }
}
