// What the tests of the APIs run against. SLUICE_API_TARGET chooses: `sluice`, a broker in this process (the default);
// `memory`, the same on an engine in memory, which needs no addon; `kafka`, Apache Kafka, which must agree with every test.
import { resolveBrokerConfig } from '../../../src/config/broker-config.js';
import { type RunningBroker, startBroker } from '../../../src/broker/broker.js';
import { type Api, type RequestInput, type ResponseOf } from '../../../src/protocol/api.js';
import { type FieldTable } from '../../../src/protocol/schema.js';
import { produceApi } from '../../../src/protocol/messages/00-produce.js';
import { type NewRecord, buildBatch } from '../../../src/protocol/records/batch.js';
import { startBroker as startProcess } from '../../support/broker.js';
import { KafkaClient } from '../../support/kafka-client.js';
import { makeTempDirectory, removeDirectory } from '../../support/temp.js';
import { FakeBroker } from '../../unit/broker/fake-broker.js';

export type Kind = 'sluice' | 'memory' | 'kafka';

export interface Target {
  readonly kind: Kind;
  readonly port: number;
  ask<Q extends FieldTable, S extends FieldTable>(
    api: Api<Q, S>, version: number, request: RequestInput<Api<Q, S>>,
  ): Promise<ResponseOf<Api<Q, S>>>;
  /** On a connection of its own, which the broker may close. */
  askRaw<Q extends FieldTable, S extends FieldTable>(
    api: Api<Q, S>, version: number, body: Buffer, answerVersion?: number,
  ): Promise<ResponseOf<Api<Q, S>>>;
  produce(topic: string, partition: number, records: readonly NewRecord[]): Promise<void>;
  /** A clean stop and a start on the same data; `sluice` and `memory` only. */
  stop(): Promise<void>;
}

export function apiTarget(): Kind {
  const kind = process.env['SLUICE_API_TARGET'] ?? 'sluice';
  if (kind !== 'sluice' && kind !== 'memory' && kind !== 'kafka') {
    throw new Error(`SLUICE_API_TARGET is '${kind}', not sluice, memory or kafka`);
  }
  return kind;
}

export async function startTarget(properties: Readonly<Record<string, string>> = {}): Promise<Target> {
  switch (apiTarget()) {
    case 'memory': return startInMemory(properties);
    case 'kafka': {
      // One that runs already saves the time of a start for each file of tests.
      const running = process.env['SLUICE_API_PORT'];
      if (running !== undefined && Object.keys(properties).length === 0) return overSocket('kafka', Number(running), async () => {});
      const broker = await startProcess({ kind: 'kafka', properties });
      return overSocket('kafka', broker.port, () => broker.dispose());
    }
    case 'sluice': return startSluice(properties);
  }
}

export async function startSluice(properties: Readonly<Record<string, string>>): Promise<Target> {
  const { broker, directory } = await startInProcess(properties);
  return overSocket('sluice', broker.ready.listeners[0]!.port, async () => {
    await broker.close();
    removeDirectory(directory);
  });
}

const quiet = { info() {}, warn() {}, error: (message: string) => console.error(message) };

async function startInProcess(properties: Readonly<Record<string, string>>): Promise<{ broker: RunningBroker; directory: string }> {
  const directory = makeTempDirectory('api');
  const texts = new Map(Object.entries({ 'log.dirs': directory, listeners: 'PLAINTEXT://127.0.0.1:0', ...properties }));
  const { config } = resolveBrokerConfig(texts, { fileGiven: false });
  return { broker: await startBroker({ config, log: quiet }), directory };
}

export async function startInMemory(properties: Readonly<Record<string, string>>): Promise<Target> {
  const broker = await FakeBroker.start({ properties });
  // There is no socket that would keep the process going while a request waits for a timer.
  const alive = setInterval(() => {}, 60_000);
  return {
    kind: 'memory',
    port: broker.running.ready.listeners[0]!.port,
    ask: (api, version, request) => broker.ask(api, version, request),
    askRaw: (api, version, body, answerVersion) => broker.askRaw(api, version, body, answerVersion),
    async produce(topic, partition, records) {
      const log = [...broker.engine.disk.logs.values()].find((each) => each.topic === topic && each.spec.partition === partition);
      if (log === undefined) throw new Error(`no partition ${topic}-${partition}`);
      await broker.engine.appendRecords({ topicId: log.spec.topicId, partition }, records.map(({ key, value, timestamp }) => ({
        key: key ?? null, value: value ?? null, ...(timestamp === undefined ? {} : { timestampMs: Number(timestamp) }),
      })));
    },
    stop: () => {
      clearInterval(alive);
      return broker.stop();
    },
  };
}

async function overSocket(kind: Kind, port: number, stop: () => Promise<void>): Promise<Target> {
  const client = await KafkaClient.connect(port);
  return {
    kind,
    port,
    ask: (api, version, request) => client.ask(api, version, request),
    async askRaw(api, version, body, answerVersion) {
      const own = await KafkaClient.connect(port);
      try {
        return await own.askRaw(api, version, body, answerVersion);
      } finally {
        own.close();
      }
    },
    async produce(topic, partition, records) {
      const batch = buildBatch({ records, timestamp: BigInt(Date.now()) });
      const send = async () => {
        const { responses } = await client.ask(produceApi, 9, {
          acks: -1, timeoutMs: 10_000, topicData: [{ name: topic, partitionData: [{ index: partition, records: batch }] }],
        });
        return responses[0]?.partitionResponses[0]?.errorCode;
      };
      let code = await send();
      // Kafka opens a log a little after its topic is told.
      for (let i = 0; kind === 'kafka' && (code === 3 || code === 6) && i < 1000; i += 1) code = await send();
      if (code !== 0) throw new Error(`Produce to ${topic}-${partition} was answered with error ${code}`);
    },
    async stop() {
      client.close();
      await stop();
    },
  };
}
