// Apache Kafka's Java producer, consumer and admin client in one JVM, driven from a test (test/compat/java/ClientDriver.java).
import { startJava } from './java.js';
import { type BackgroundProcess } from './process.js';

const CALL_TIMEOUT_MS = 60_000;

/** What a Java client threw: `name` is the simple name of its class. */
export class JavaClientError extends Error {
  constructor(name: string, message: string) {
    super(`${name}: ${message}`);
    this.name = name;
  }
}

interface Reply {
  readonly id: number;
  readonly ok: boolean;
  readonly result?: unknown;
  readonly error?: string;
  readonly message?: string;
}

export class JavaClients {
  readonly #process: BackgroundProcess;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #nextId = 1;

  private constructor(process: BackgroundProcess) {
    this.#process = process;
    process.onLine((line) => this.#take(line));
    void process.exited().then(() => this.#failAll(new Error(`the Java clients ended: ${process.output}`)));
  }

  static async start(bootstrap: string): Promise<JavaClients> {
    return new JavaClients(await startJava('ClientDriver', [bootstrap]));
  }

  /** Makes a client named `object`: newAdmin, newProducer or newConsumer. */
  create(kind: 'Admin' | 'Producer' | 'Consumer', object: string, config: Readonly<Record<string, string>> = {}): Promise<unknown> {
    return this.call(object, `new${kind}`, { config });
  }

  call<T = unknown>(object: string, op: string, args: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const id = this.#nextId++;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`no answer to ${object}.${op} within ${CALL_TIMEOUT_MS} ms`));
      }, CALL_TIMEOUT_MS);
      this.#waiting.set(id, {
        resolve: (value) => {
          clearTimeout(timer);
          resolve(value as T);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.#process.write(`${JSON.stringify({ ...args, id, object, op })}\n`);
    });
  }

  async close(): Promise<void> {
    this.#process.endInput();
    await this.#process.stop('SIGTERM');
  }

  #take(line: string): void {
    if (!line.startsWith('{')) return;
    const reply = JSON.parse(line) as Reply;
    const waiter = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (waiter === undefined) return;
    if (reply.ok) waiter.resolve(reply.result);
    else waiter.reject(new JavaClientError(reply.error ?? 'Error', reply.message ?? ''));
  }

  #failAll(error: Error): void {
    for (const waiter of this.#waiting.values()) waiter.reject(error);
    this.#waiting.clear();
  }
}
