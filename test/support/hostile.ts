// A broker among clients that misbehave: what it needs, and what others notice.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createTopicsApi, fetchApi, metadataApi, produceApi } from '../../src/protocol/index.js';
import { buildBatch } from '../../src/protocol/records/batch.js';
import { type BrokerProcess } from './broker.js';
import { type HostileKind, HOSTILE_TOPIC } from './hostile-kinds.js';
import { KafkaClient } from './kafka-client.js';
import { repositoryRoot } from './paths.js';
import { BackgroundProcess } from './process.js';

const WORKER = join(repositoryRoot, 'dist', 'test', 'support', 'hostile-worker.js');
/** The kernel lets one process have no more descriptors than about twice that. */
const PER_WORKER = 9_000;
const BATCHES = 24;
const BATCH_BYTES = 900_000;

export async function prepareTopic(broker: BrokerProcess): Promise<void> {
  const client = await KafkaClient.connect(broker.port);
  const { topics } = await client.ask(createTopicsApi, 5, {
    topics: [{ name: HOSTILE_TOPIC, numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }], timeoutMs: 10_000, validateOnly: false,
  } as never);
  if (topics[0]?.errorCode !== 0) throw new Error(`CreateTopics: error ${topics[0]?.errorCode}`);
  for (let i = 0; i < BATCHES; i += 1) await produce(client, 0, BATCH_BYTES);
  client.close();
}

const batches = new Map<number, Buffer>();

function batchOf(bytes: number): Buffer {
  const known = batches.get(bytes) ?? buildBatch({ records: [{ key: null, value: Buffer.alloc(bytes, 1) }], timestamp: BigInt(Date.now()) });
  batches.set(bytes, known);
  return known;
}

async function produce(client: KafkaClient, index: number, bytes: number): Promise<void> {
  const records = batchOf(bytes);
  const { responses } = await client.ask(produceApi, 9, {
    acks: -1, timeoutMs: 30_000, topicData: [{ name: HOSTILE_TOPIC, partitionData: [{ index, records }] }],
  } as never);
  const code = responses[0]?.partitionResponses[0]?.errorCode;
  if (code !== 0) throw new Error(`Produce: error ${code}`);
}

/** A client that behaves: writes, reads and asks, on connections that are there before the others come. */
export class Honest {
  readonly #clients: readonly KafkaClient[];
  readonly #port: number;

  private constructor(port: number, clients: readonly KafkaClient[]) {
    this.#port = port;
    this.#clients = clients;
  }

  static async connect(port: number): Promise<Honest> {
    return new Honest(port, await Promise.all([1, 2, 3].map(() => KafkaClient.connect(port))));
  }

  /** Milliseconds of each round: Produce, Fetch and Metadata at once. Throws when one is not answered as it should be. */
  async rounds(count: number): Promise<number[]> {
    const [producer, fetcher, asker] = this.#clients as [KafkaClient, KafkaClient, KafkaClient];
    const times: number[] = [];
    for (let i = 0; i < count; i += 1) {
      const startedAt = performance.now();
      await Promise.all([
        produce(producer, 1, 100),
        fetcher.ask(fetchApi, 11, {
          maxWaitMs: 0, minBytes: 0, maxBytes: 1 << 20, isolationLevel: 0, sessionId: 0, sessionEpoch: -1, rackId: '',
          topics: [{ topic: HOSTILE_TOPIC, partitions: [{ partition: 0, fetchOffset: BigInt(i % BATCHES), partitionMaxBytes: 1 << 20 }] }],
        } as never).then(({ responses }) => {
          const got = responses[0]?.partitions[0];
          if (got?.errorCode !== 0 || (got.records?.length ?? 0) < BATCH_BYTES) throw new Error(`Fetch: error ${got?.errorCode}, ${got?.records?.length} bytes`);
        }),
        asker.ask(metadataApi, 9, { topics: null } as never),
      ]);
      times.push(performance.now() - startedAt);
    }
    return times;
  }

  /** Also on a connection that has yet to come in. */
  async newcomer(): Promise<void> {
    const client = await KafkaClient.connect(this.#port);
    await client.ask(metadataApi, 9, { topics: null } as never);
    client.close();
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}

export function percentile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** Bytes that the kernel holds for the broker's ends of its connections; null where `ss` is not installed. */
export function socketMemory(port: number): number | null {
  let text: string;
  try {
    text = execFileSync('ss', ['-tmnH', 'state', 'established', 'state', 'close-wait', `( sport = :${port} )`], { encoding: 'utf8', maxBuffer: 1 << 28 });
  } catch {
    return null;
  }
  let sum = 0;
  for (const [, received, sent, queued] of text.matchAll(/skmem:\(r(\d+),rb\d+,t(\d+),tb\d+,f\d+,w(\d+)/g)) {
    sum += Number(received) + Math.max(Number(sent), Number(queued));
  }
  return sum;
}

export const descriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

export interface Crowd {
  readonly opened: number;
  readonly closed: number;
  leave(): Promise<void>;
}

/** That many clients of a kind; resolves when all are where they should be. */
export async function crowd(broker: BrokerProcess, kind: HostileKind, count: number): Promise<Crowd> {
  const workers: BackgroundProcess[] = [];
  const ready: Promise<{ opened: number; closed: number }>[] = [];
  for (let from = 0, address = 2; from < count; from += PER_WORKER, address += 2) {
    const args = [WORKER, String(broker.port), kind, String(Math.min(PER_WORKER, count - from)), String(address)];
    const worker = new BackgroundProcess(process.execPath, args);
    workers.push(worker);
    ready.push(new Promise((resolve, reject) => {
      worker.onLine((line) => {
        if (line.startsWith('ready ')) resolve(JSON.parse(line.slice('ready '.length)) as { opened: number; closed: number });
      });
      worker.exited().then(() => reject(new Error(`a process of clients ended: ${worker.output.slice(-2000)}`)), reject);
    }));
  }
  const leave = async () => {
    for (const worker of workers) worker.endInput();
    await Promise.all(workers.map((worker) => worker.exited()));
  };
  try {
    const counts = await Promise.all(ready);
    const sum = (key: 'opened' | 'closed') => counts.reduce((total, each) => total + each[key], 0);
    return { opened: sum('opened'), closed: sum('closed'), leave };
  } catch (error) {
    await leave();
    throw error;
  }
}
