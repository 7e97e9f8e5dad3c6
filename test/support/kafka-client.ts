// A small Kafka client over a real socket, speaking through the product's codec: one request of any API in any version.
import { type Socket, connect } from 'node:net';
import { type Api, type RequestInput, type ResponseOf } from '../../src/protocol/api.js';
import { decodeResponse, encodeRequest } from '../../src/protocol/headers.js';
import { type FieldTable } from '../../src/protocol/schema.js';

interface Waiting {
  readonly resolve: (payload: Buffer) => void;
  readonly reject: (error: Error) => void;
}

export class KafkaClient {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  readonly #clientId: string;
  #buffered = Buffer.alloc(0);
  #failure: Error | undefined;
  #correlationId = 0;

  private constructor(socket: Socket, clientId: string, port: number) {
    this.#socket = socket;
    this.#clientId = clientId;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.once('close', () => this.#fail(new Error(`the broker at port ${port} closed the connection`)));
  }

  static connect(port: number, clientId = 'test', host = '127.0.0.1'): Promise<KafkaClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new KafkaClient(socket, clientId, port));
      });
    });
  }

  get isClosed(): boolean {
    return this.#failure !== undefined;
  }

  /** Requests may be sent before earlier ones are answered. */
  async ask<Q extends FieldTable, S extends FieldTable>(
    api: Api<Q, S>, version: number, request: RequestInput<Api<Q, S>>,
  ): Promise<ResponseOf<Api<Q, S>>> {
    const correlationId = (this.#correlationId += 1);
    const frame = encodeRequest(api, version, { correlationId, clientId: this.#clientId }, request as never);
    return this.#decode(api, version, correlationId, await this.#exchange(frame));
  }

  /** A body that the codec would not write. `answerVersion` is the form in which the answer is expected. */
  async askRaw<Q extends FieldTable, S extends FieldTable>(
    api: Api<Q, S>, version: number, body: Buffer, answerVersion = version,
  ): Promise<ResponseOf<Api<Q, S>>> {
    const correlationId = (this.#correlationId += 1);
    const isFlexible = api.request.isFlexible(version);
    const head = Buffer.alloc(14);
    head.writeInt32BE(10 + (isFlexible ? 1 : 0) + body.length, 0);
    head.writeInt16BE(api.key, 4);
    head.writeInt16BE(version, 6);
    head.writeInt32BE(correlationId, 8);
    head.writeInt16BE(-1, 12);
    const frame = Buffer.concat([head, Buffer.alloc(isFlexible ? 1 : 0), body]);
    return this.#decode(api, answerVersion, correlationId, await this.#exchange(frame));
  }

  close(): void {
    this.#socket.destroy();
  }

  #decode<Q extends FieldTable, S extends FieldTable>(
    api: Api<Q, S>, version: number, correlationId: number, payload: Buffer,
  ): ResponseOf<Api<Q, S>> {
    const answer = decodeResponse(api, version, payload);
    if (answer.correlationId !== correlationId) {
      throw new Error(`answer ${answer.correlationId} to request ${correlationId}`);
    }
    return answer.body as ResponseOf<Api<Q, S>>;
  }

  #exchange(frame: Buffer): Promise<Buffer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.write(frame);
    });
  }

  #take(chunk: Buffer): void {
    this.#buffered = Buffer.concat([this.#buffered, chunk]);
    while (this.#buffered.length >= 4) {
      const size = this.#buffered.readInt32BE(0);
      if (this.#buffered.length < 4 + size) return;
      const payload = this.#buffered.subarray(4, 4 + size);
      this.#buffered = this.#buffered.subarray(4 + size);
      this.#waiting.shift()?.resolve(payload);
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
