// A broker on the engine in memory, asked through the codec as a client would.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveBrokerConfig } from '../../../src/config/broker-config.js';
import { type RunningBroker, startBroker } from '../../../src/broker/broker.js';
import { type Api, type RequestInput, type ResponseOf } from '../../../src/protocol/api.js';
import { type FieldTable } from '../../../src/protocol/schema.js';
import { decodeResponse } from '../../../src/protocol/headers.js';
import { FakeDisk, FakeEngine } from './fake-engine.js';

export class TestLog {
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

export interface FakeBrokerOptions {
  readonly properties?: Readonly<Record<string, string>>;
  readonly disk?: FakeDisk;
  readonly prepare?: (engine: FakeEngine) => void;
  readonly directory?: string;
}

let tokens = 0;

export class FakeBroker {
  readonly engine: FakeEngine;
  readonly running: RunningBroker;
  readonly log: TestLog;
  readonly directory: string;

  private constructor(engine: FakeEngine, running: RunningBroker, log: TestLog, directory: string) {
    this.engine = engine;
    this.running = running;
    this.log = log;
    this.directory = directory;
  }

  static async start(options: FakeBrokerOptions = {}): Promise<FakeBroker> {
    const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'sluice-unit-'));
    const properties = new Map(Object.entries({ 'log.dirs': directory, listeners: 'PLAINTEXT://127.0.0.1:0', ...options.properties }));
    const { config } = resolveBrokerConfig(properties, { fileGiven: false });
    const log = new TestLog();
    let engine: FakeEngine | undefined;
    const running = await startBroker({
      config,
      log,
      makeEngine: (_engineOptions, events) => {
        engine = new FakeEngine(options.disk, events);
        options.prepare?.(engine);
        return engine;
      },
    });
    return new FakeBroker(engine!, running, log, directory);
  }

  /** Stops, and takes the directory away unless it is to be used again. */
  async stop(keep = false): Promise<void> {
    await this.running.close();
    if (!keep) rmSync(this.directory, { recursive: true, force: true });
  }

  async ask<Q extends FieldTable, S extends FieldTable>(
    api: Api<Q, S>, version: number, request: RequestInput<Api<Q, S>>,
  ): Promise<ResponseOf<Api<Q, S>>> {
    return this.askRaw(api, version, api.request.encode(version, request as never));
  }

  async askRaw<Q extends FieldTable, S extends FieldTable>(
    api: Api<Q, S>, version: number, body: Buffer, answerVersion = version,
  ): Promise<ResponseOf<Api<Q, S>>> {
    const token = (tokens += 1);
    const answer = await this.engine.request({
      token, connection: 1, apiKey: api.key, apiVersion: version, correlationId: token, clientId: 'test',
      peer: '127.0.0.1:50000', listener: 0, receivedMs: Date.now(), body,
    });
    const { correlationId, body: decoded } = decodeResponse(api, answerVersion, answer);
    if (correlationId !== token) throw new Error(`correlation id ${correlationId}, expected ${token}`);
    return decoded as ResponseOf<Api<Q, S>>;
  }
}
