// Brokers in this process, on directories that outlive them.
import { resolveBrokerConfig } from '../../src/config/broker-config.js';
import { type RunningBroker, startBroker } from '../../src/broker/broker.js';
import { KafkaClient } from '../support/kafka-client.js';
import { makeTempDirectory, removeDirectory } from '../support/temp.js';

export class LineLog {
  readonly lines: string[] = [];
  info(message: string): void {
    this.lines.push(`info ${message}`);
  }
  warn(message: string): void {
    this.lines.push(`warn ${message}`);
  }
  error(message: string): void {
    this.lines.push(`error ${message}`);
  }
}

export interface OpenBroker {
  readonly broker: RunningBroker;
  readonly client: KafkaClient;
  readonly log: LineLog;
  close(): Promise<void>;
}

export async function openBroker(directory: string, properties: Readonly<Record<string, string>> = {}): Promise<OpenBroker> {
  const texts = new Map(Object.entries({ 'log.dirs': directory, listeners: 'PLAINTEXT://127.0.0.1:0', ...properties }));
  const { config } = resolveBrokerConfig(texts, { fileGiven: false });
  const log = new LineLog();
  const broker = await startBroker({ config, log });
  const client = await KafkaClient.connect(broker.ready.listeners[0]!.port);
  return {
    broker,
    client,
    log,
    async close() {
      client.close();
      await broker.close();
    },
  };
}

export async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = makeTempDirectory('broker');
  try {
    await use(directory);
  } finally {
    removeDirectory(directory);
  }
}
