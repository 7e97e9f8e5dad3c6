// A broker as a child process, Sluice or Apache Kafka, behind one shape: the tests of clients and tools are written once and
// run against both. SLUICE_COMPAT_TARGET chooses (kafka, or sluice, which is the default).
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { keptClasses, sharedClasses } from './java-shared.js';
import { javaCommand, kafkaJvmFlags, requireKafka } from './java.js';
import { kafkaLibs, repositoryRoot } from './paths.js';
import { BackgroundProcess, run } from './process.js';
import { freePort, makeTempDirectory, removeDirectory } from './temp.js';
import { askApiVersions, askBrokerCount } from './wire.js';

export type TargetKind = 'kafka' | 'sluice';

export interface BrokerOptions {
  readonly kind?: TargetKind;
  /** Properties by Kafka's names, for either broker. */
  readonly properties?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Where the data lies; a temporary directory, removed in the end, when left out. */
  readonly dataDirectory?: string;
  readonly startTimeoutMs?: number;
  /** For Apache Kafka's JVM, above its own. */
  readonly jvmFlags?: readonly string[];
  /** A command that Sluice is started through, with its arguments. */
  readonly launcher?: readonly string[];
}

export function targetKind(): TargetKind {
  const kind = process.env['SLUICE_COMPAT_TARGET'] ?? 'sluice';
  if (kind !== 'kafka' && kind !== 'sluice') throw new Error(`SLUICE_COMPAT_TARGET is '${kind}', not kafka or sluice`);
  return kind;
}

/** A broker that lives for a test is not worth the second compiler. */
const BRIEF_JVM_FLAGS = ['-XX:TieredStopAtLevel=1'] as const;

/** Starts a broker and waits until it answers clients. */
export async function startBroker(options: BrokerOptions = {}): Promise<BrokerProcess> {
  const broker = await BrokerProcess.prepare({ jvmFlags: BRIEF_JVM_FLAGS, ...options });
  try {
    await broker.start();
  } catch (error) {
    await broker.dispose();
    throw error;
  }
  return broker;
}

export class BrokerProcess {
  readonly kind: TargetKind;
  readonly port: number;
  readonly bootstrap: string;
  readonly dataDirectory: string;
  readonly #workDirectory: string;
  readonly #controllerPort: number;
  readonly #options: BrokerOptions;
  #process: BackgroundProcess | undefined;
  #isFormatted = false;

  private constructor(kind: TargetKind, port: number, controllerPort: number, options: BrokerOptions) {
    this.kind = kind;
    this.port = port;
    this.bootstrap = `127.0.0.1:${port}`;
    this.#controllerPort = controllerPort;
    this.#options = options;
    this.#workDirectory = makeTempDirectory(kind);
    this.dataDirectory = options.dataDirectory ?? join(this.#workDirectory, 'data');
  }

  static async prepare(options: BrokerOptions): Promise<BrokerProcess> {
    const kind = options.kind ?? targetKind();
    if (kind === 'kafka') await requireKafka();
    return new BrokerProcess(kind, await freePort(), await freePort(), options);
  }

  get pid(): number {
    return this.process.pid;
  }

  get process(): BackgroundProcess {
    if (this.#process === undefined) throw new Error('the broker was not started');
    return this.#process;
  }

  /** Everything that the running (or last) process printed. */
  get output(): string {
    return this.#process?.output ?? '';
  }

  /** Starts, or starts again on the same port and data. Returns the milliseconds until ApiVersions was answered. */
  async start(): Promise<number> {
    if (this.#process !== undefined && !this.#process.hasExited) throw new Error('the broker is running');
    if (this.kind === 'kafka') await this.#formatKafka();
    const startedAt = performance.now();
    this.#process = this.kind === 'kafka' ? this.#spawnKafka() : this.#spawnSluice();
    const deadline = startedAt + (this.#options.startTimeoutMs ?? (this.kind === 'kafka' ? 180_000 : 60_000));
    await this.#poll(deadline, () => askApiVersions(this.port));
    const elapsed = performance.now() - startedAt;
    await this.#poll(deadline, async () => {
      if ((await askBrokerCount(this.port)) < 1) throw new Error('no broker in the metadata yet');
    });
    return elapsed;
  }

  /** A clean stop. */
  async stop(timeoutMs = 60_000): Promise<number | null> {
    return this.process.stop('SIGTERM', timeoutMs);
  }

  async kill9(): Promise<void> {
    await this.process.stop('SIGKILL');
  }

  /** Ends the process, whatever state it is in, and removes what was made for it. */
  async dispose(): Promise<void> {
    if (this.#process !== undefined && !this.#process.hasExited) await this.#process.stop('SIGKILL');
    removeDirectory(this.#workDirectory);
  }

  async #poll(deadline: number, ask: () => Promise<unknown>): Promise<void> {
    for (;;) {
      if (this.process.hasExited) throw new Error(`the broker (${this.kind}) ended while starting:\n${this.output}`);
      try {
        await ask();
        return;
      } catch (error) {
        if (performance.now() > deadline) {
          throw new Error(`the broker (${this.kind}) did not answer in time:\n${this.output}`, { cause: error });
        }
        await delay(5);
      }
    }
  }

  #spawnSluice(): BackgroundProcess {
    const properties: Record<string, string> = {
      listeners: `PLAINTEXT://${this.bootstrap}`,
      'log.dirs': this.dataDirectory,
      ...this.#options.properties,
    };
    const main = process.env['SLUICE_MAIN'] ?? join(repositoryRoot, 'dist', 'sluice.mjs');
    const overrides = Object.entries(properties).flatMap(([name, value]) => ['--override', `${name}=${value}`]);
    const nodeFlags = (process.env['SLUICE_NODE_FLAGS'] ?? '').split(' ').filter((flag) => flag !== '');
    const [command = process.execPath, ...args] = [...(this.#options.launcher ?? []), process.execPath, ...nodeFlags, main, ...overrides];
    return new BackgroundProcess(command, args, {
      cwd: this.#workDirectory,
      ...(this.#options.env === undefined ? {} : { env: this.#options.env }),
    });
  }

  async #formatKafka(): Promise<void> {
    if (this.#isFormatted) return;
    const properties: Record<string, string> = {
      'process.roles': 'broker,controller',
      'node.id': '1',
      'controller.quorum.voters': `1@127.0.0.1:${this.#controllerPort}`,
      listeners: `PLAINTEXT://${this.bootstrap},CONTROLLER://127.0.0.1:${this.#controllerPort}`,
      'advertised.listeners': `PLAINTEXT://${this.bootstrap}`,
      'controller.listener.names': 'CONTROLLER',
      'log.dirs': this.dataDirectory,
      'offsets.topic.replication.factor': '1',
      'transaction.state.log.replication.factor': '1',
      'transaction.state.log.min.isr': '1',
      'share.coordinator.state.topic.replication.factor': '1',
      'share.coordinator.state.topic.min.isr': '1',
      'group.initial.rebalance.delay.ms': '0',
      ...this.#options.properties,
    };
    const text = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`).join('');
    writeFileSync(this.#propertiesFile, text);
    this.#isFormatted = existsSync(join(this.dataDirectory, 'meta.properties'));
    if (this.#isFormatted) return;
    const clusterId = Buffer.from(this.#workDirectory).toString('hex').slice(-32);
    const formatted = await run(javaCommand(), [
      '-XX:TieredStopAtLevel=1',
      ...sharedClasses('broker'),
      '-cp',
      `${kafkaLibs('broker')}/*`,
      'kafka.tools.StorageTool',
      'format',
      '--ignore-formatted',
      '-t',
      Buffer.from(clusterId.padStart(32, '0'), 'hex').toString('base64url'),
      '-c',
      this.#propertiesFile,
    ]);
    if (formatted.exitCode !== 0) throw new Error(`kafka-storage format failed: ${formatted.stdout}${formatted.stderr}`);
    this.#isFormatted = true;
  }

  #spawnKafka(): BackgroundProcess {
    const { flags, ended } = keptClasses('broker');
    const spawned = new BackgroundProcess(
      javaCommand(),
      [...kafkaJvmFlags, ...(this.#options.jvmFlags ?? []), ...flags, '-cp', `${kafkaLibs('broker')}/*`, 'kafka.Kafka', this.#propertiesFile],
      { cwd: this.#workDirectory },
    );
    void spawned.exited().then(({ signal }) => ended(signal), () => ended('SIGKILL'));
    return spawned;
  }

  get #propertiesFile(): string {
    return join(this.#workDirectory, 'server.properties');
  }
}
