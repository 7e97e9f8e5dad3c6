// Clients that misbehave, in a process of their own: `node hostile-worker.js <port> <kind> <count> <first source address>`. Says `ready` once all are
// where they should be, with what became of them; ends, and everything with it, when its input does.
import { type Socket, connect } from 'node:net';
import { fetchApi, metadataApi, produceApi } from '../../src/protocol/index.js';
import { encodeRequest } from '../../src/protocol/headers.js';
import { buildBatch } from '../../src/protocol/records/batch.js';
import { type HostileKind, HOSTILE_TOPIC, PIPELINED } from './hostile-kinds.js';

const [portText, kindText, countText, firstText] = process.argv.slice(2);
const port = Number(portText);
const kind = kindText as HostileKind;
const count = Number(countText);
const firstAddress = Number(firstText);
/** The kernel has so many ephemeral ports for one source address, more or less. */
const PER_ADDRESS = 10_000;
const OPENING_AT_ONCE = 200;

const fetchRequest = (correlationId: number) => encodeRequest(fetchApi, 11, { correlationId, clientId: 'hostile' }, {
  maxWaitMs: 500, minBytes: 1, maxBytes: 50 << 20, isolationLevel: 0, sessionId: 0, sessionEpoch: -1, rackId: '',
  topics: [{ topic: HOSTILE_TOPIC, partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 50 << 20 }] }],
} as never);
const metadataRequest = (correlationId: number) => encodeRequest(metadataApi, 9, { correlationId, clientId: 'hostile' }, { topics: null } as never);
const produceRequest = (correlationId: number) => encodeRequest(produceApi, 9, { correlationId, clientId: 'hostile' }, {
  acks: -1, timeoutMs: 30_000,
  topicData: [{ name: HOSTILE_TOPIC, partitionData: [{ index: 1, records: buildBatch({ records: [{ key: null, value: Buffer.from('x') }], timestamp: BigInt(Date.now()) }) }] }],
} as never);

const sockets: Socket[] = [];
const timers: NodeJS.Timeout[] = [];
let closed = 0;

function open(index: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const localAddress = `127.0.0.${firstAddress + Math.floor(index / PER_ADDRESS)}`;
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    sockets.push(socket);
    socket.once('connect', () => {
      socket.on('error', () => {});
      resolve(socket);
    });
    socket.once('error', reject);
    socket.once('close', () => (closed += 1));
  });
}

const firstBytes = (socket: Socket) => new Promise<void>((resolve) => {
  // Never read: what has arrived lies in the buffers, and more does not come.
  socket.once('readable', () => resolve());
});
const closing = (socket: Socket) => new Promise<void>((resolve) => {
  if (socket.closed) return resolve();
  socket.resume();
  socket.once('close', () => resolve());
});

/** A ClientHello of TLS 1.2, as far as it matters. */
const CLIENT_HELLO = Buffer.concat([Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]), Buffer.alloc(506, 7)]);
const announcement = (size: number) => {
  const bytes = Buffer.alloc(5);
  bytes.writeInt32BE(size);
  return bytes;
};

async function pipeline(socket: Socket): Promise<void> {
  const requests = Array.from({ length: PIPELINED }, (_, i) => (i % 3 === 0 ? produceRequest(i) : i % 3 === 1 ? fetchTail(i) : metadataRequest(i)));
  socket.write(Buffer.concat(requests));
  let buffered = Buffer.alloc(0);
  let next = 0;
  await new Promise<void>((resolve, reject) => {
    socket.on('close', () => reject(new Error(`closed after ${next} answers`)));
    socket.on('data', (chunk) => {
      buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
      let at = 0;
      while (buffered.length - at >= 8 && buffered.length - at >= 4 + buffered.readInt32BE(at)) {
        const correlationId = buffered.readInt32BE(at + 4);
        if (correlationId !== next) reject(new Error(`answer ${correlationId} in place of ${next}`));
        next += 1;
        at += 4 + buffered.readInt32BE(at);
      }
      buffered = buffered.subarray(at);
      if (next === PIPELINED) resolve();
    });
  });
}
const fetchTail = (correlationId: number) => encodeRequest(fetchApi, 11, { correlationId, clientId: 'hostile' }, {
  maxWaitMs: 0, minBytes: 0, maxBytes: 1000, isolationLevel: 0, sessionId: 0, sessionEpoch: -1, rackId: '',
  topics: [{ topic: HOSTILE_TOPIC, partitions: [{ partition: 1, fetchOffset: 0n, partitionMaxBytes: 1000 }] }],
} as never);

const begin: Readonly<Record<HostileKind, (socket: Socket, index: number) => Promise<void>>> = {
  async idle() {},
  async 'half-open'(socket) {
    socket.write(Buffer.from([0, 0]));
  },
  async announce(socket) {
    socket.write(announcement(100_000_000));
  },
  async dribble(socket, index) {
    const request = metadataRequest(index);
    let at = 0;
    const step = () => socket.write(request.subarray(at, (at = (at + 1) % request.length) || undefined));
    step();
    timers.push(setInterval(step, 1000));
  },
  async 'slow-fetch'(socket, index) {
    socket.write(fetchRequest(index));
    await firstBytes(socket);
  },
  async 'deaf'(socket, index) {
    for (let i = 0; i < 50; i += 1) socket.write(metadataRequest(index));
    await Promise.race([firstBytes(socket), closing(socket)]);
    socket.pause();
  },
  async garbage(socket) {
    socket.write(Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 7919) & 0xff)).fill(0xee, 0, 4));
    await closing(socket);
  },
  async tls(socket) {
    socket.write(CLIENT_HELLO);
    // As a request of its length would be: 0x16030102 bytes are too many.
    await closing(socket);
  },
  async http(socket) {
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await closing(socket);
  },
  async reset(socket, index) {
    if (index % 2 === 0) {
      socket.write(fetchRequest(index));
      await firstBytes(socket);
    } else {
      socket.write(announcement(1000));
    }
    socket.resetAndDestroy();
  },
  pipeline,
};

let next = 0;
async function opener(): Promise<void> {
  while (next < count) {
    const index = next++;
    await begin[kind](await open(index), index);
  }
}
await Promise.all(Array.from({ length: Math.min(OPENING_AT_ONCE, count) }, opener));
process.stdout.write(`ready ${JSON.stringify({ opened: sockets.length, closed })}\n`);
process.stdin.resume();
process.stdin.once('end', () => process.exit(0));
