// A tiny Kafka client over plain Buffers, with nothing of the product in it: for asking whether a broker answers, and for
// sending frames that no honest client would.
import { connect, type Socket } from 'node:net';

export interface RequestHead {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId?: string | null;
  /** Request header version 2: an empty tagged-field section follows the client id. */
  readonly flexible?: boolean;
}

/** A whole frame, length first. `lengthOverride` writes a length that lies. */
export function encodeRequest(head: RequestHead, body: Buffer, lengthOverride?: number): Buffer {
  const clientId = head.clientId === undefined ? 'wire' : head.clientId;
  const name = clientId === null ? Buffer.alloc(0) : Buffer.from(clientId);
  const fixed = Buffer.alloc(14);
  fixed.writeInt16BE(head.apiKey, 4);
  fixed.writeInt16BE(head.apiVersion, 6);
  fixed.writeInt32BE(head.correlationId, 8);
  fixed.writeInt16BE(clientId === null ? -1 : name.length, 12);
  const tags = head.flexible === true ? Buffer.from([0]) : Buffer.alloc(0);
  const frame = Buffer.concat([fixed, name, tags, body]);
  frame.writeInt32BE(lengthOverride ?? frame.length - 4, 0);
  return frame;
}

export function string16(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

/** One connection. Answers come out in the order in which they arrive, each without its length. */
export class RawConnection {
  readonly #socket: Socket;
  readonly #waiting: Array<{ resolve: (frame: Buffer) => void; reject: (error: Error) => void }> = [];
  readonly #frames: Buffer[] = [];
  readonly #closed: Promise<void>;
  #buffered = Buffer.alloc(0);
  #failure: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#take(chunk));
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#fail(new Error('the broker closed the connection'));
        resolve();
      });
    });
    socket.on('error', (error) => this.#fail(error));
  }

  static open(port: number, host = '127.0.0.1'): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawConnection(socket));
      });
    });
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  receive(): Promise<Buffer> {
    const frame = this.#frames.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Resolves when the other side has closed. */
  closed(): Promise<void> {
    return this.#closed;
  }

  /** Half-closes: nothing more will be sent. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#buffered = Buffer.concat([this.#buffered, chunk]);
    while (this.#buffered.length >= 4) {
      const length = this.#buffered.readInt32BE(0);
      if (this.#buffered.length < 4 + length) return;
      const frame = this.#buffered.subarray(4, 4 + length);
      this.#buffered = this.#buffered.subarray(4 + length);
      const waiter = this.#waiting.shift();
      if (waiter === undefined) this.#frames.push(frame);
      else waiter.resolve(frame);
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const waiter of this.#waiting.splice(0)) waiter.reject(this.#failure);
  }
}

export interface ApiRange {
  readonly apiKey: number;
  readonly min: number;
  readonly max: number;
}

/** ApiVersions version 0: the one request that every broker answers. */
export async function askApiVersions(port: number): Promise<ApiRange[]> {
  const connection = await RawConnection.open(port);
  try {
    connection.send(encodeRequest({ apiKey: 18, apiVersion: 0, correlationId: 7 }, Buffer.alloc(0)));
    const answer = await connection.receive();
    if (answer.readInt32BE(0) !== 7) throw new Error('wrong correlation id in the answer to ApiVersions');
    const errorCode = answer.readInt16BE(4);
    if (errorCode !== 0) throw new Error(`ApiVersions was answered with error ${errorCode}`);
    const ranges: ApiRange[] = [];
    for (let i = 0, at = 10; i < answer.readInt32BE(6); i += 1, at += 6) {
      ranges.push({ apiKey: answer.readInt16BE(at), min: answer.readInt16BE(at + 2), max: answer.readInt16BE(at + 4) });
    }
    return ranges;
  } finally {
    connection.destroy();
  }
}

/** Metadata version 1 for all topics: the number of brokers it lists. A broker that is up answers with itself. */
export async function askBrokerCount(port: number): Promise<number> {
  const connection = await RawConnection.open(port);
  try {
    connection.send(encodeRequest({ apiKey: 3, apiVersion: 1, correlationId: 8 }, int32(0)));
    return (await connection.receive()).readInt32BE(4);
  } finally {
    connection.destroy();
  }
}
