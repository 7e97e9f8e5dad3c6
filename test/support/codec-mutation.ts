// Bytes that no codec has written, given to every codec there is. What comes out is a value no larger than its bytes, or the one typed error.
import {
  type Api, ProtocolError, Reader, apis, decodeAssignment, decodeControlRecord, decodeGroupRecord, decodeMetadataRecord, decodeResponse, decodeSubscription,
  parseBatches, readRecords, readRequestHeader,
} from '../../src/protocol/index.js';
import { buildBatch } from '../../src/protocol/records/batch.js';
import { crc32c } from '../../src/util/crc32c.js';
import { knownMessages, randomValue, versionsOf } from './protocol-messages.js';
import { type Random } from './random.js';

interface Codec {
  readonly name: string;
  /** Bytes that it reads. */
  good(random: Random): Buffer;
  read(bytes: Buffer, random: Random): unknown;
}

const messages: Codec[] = knownMessages.flatMap(({ message }) => versionsOf(message).map((version) => ({
  name: `${message.name} ${version}`,
  good: (random: Random) => message.encode(version, randomValue(message.fields, version, random)),
  read: (bytes: Buffer) => message.decode(bytes, version),
})));

function batch(random: Random): Buffer {
  const records = Array.from({ length: 1 + random.below(4) }, () => ({
    key: random.chance(0.3) ? null : random.bytes(random.below(20)),
    value: random.chance(0.3) ? null : random.bytes(random.below(60)),
    headers: random.chance(0.5) ? [] : [{ key: 'h', value: random.bytes(3) }],
  }));
  return buildBatch({ records, timestamp: BigInt(random.uint32()) });
}

const [LENGTH_AT, CRC_AT, COVERED_AT] = [8, 17, 21];

function sealed(bytes: Buffer): Buffer {
  if (bytes.length < COVERED_AT) return bytes;
  bytes.writeInt32BE(bytes.length - LENGTH_AT - 4, LENGTH_AT);
  bytes.writeUInt32BE(crc32c(bytes.subarray(COVERED_AT)), CRC_AT);
  return bytes;
}

const splitAt = (bytes: Buffer, random: Random): [Buffer, Buffer] => {
  const at = random.below(bytes.length + 1);
  return [bytes.subarray(0, at), bytes.subarray(at)];
};
const ofAnyMessage = (random: Random): Buffer => random.pick(messages).good(random);

const others: readonly Codec[] = [
  { name: 'record batches', good: (random) => Buffer.concat([batch(random), batch(random)]), read: (bytes) => parseBatches(bytes).map((each) => readRecords(each)) },
  {
    name: 'record batches with the right length and CRC', good: batch,
    read: (bytes) => parseBatches(sealed(bytes)).map((each) => readRecords(each)),
  },
  { name: 'metadata records', good: ofAnyMessage, read: (bytes) => decodeMetadataRecord(bytes) },
  { name: 'group records', good: ofAnyMessage, read: (bytes, random) => decodeGroupRecord(...splitAt(bytes, random)) },
  { name: 'control records', good: ofAnyMessage, read: (bytes, random) => decodeControlRecord(...splitAt(bytes, random)) },
  { name: 'subscriptions', good: ofAnyMessage, read: (bytes) => decodeSubscription(bytes) },
  { name: 'assignments', good: ofAnyMessage, read: (bytes) => decodeAssignment(bytes) },
  { name: 'request headers', good: ofAnyMessage, read: (bytes) => readRequestHeader(new Reader(bytes)) },
  {
    name: 'response frames', good: ofAnyMessage,
    read: (bytes, random) => {
      const api = random.pick(apis) as unknown as Api;
      return decodeResponse(api, random.pick(versionsOf(api.response as never)), bytes);
    },
  },
];

const codecs: readonly Codec[] = [...messages, ...others];
const LENGTHS = [0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0, 1, 2];

function mutated(bytes: Buffer, random: Random): Buffer {
  let out = Buffer.from(bytes);
  for (let n = 1 + random.below(4); n > 0; n -= 1) {
    const at = random.below(out.length + 1);
    switch (random.below(6)) {
      case 0:
        if (at < out.length) out[at] = random.uint32();
        break;
      case 1: out = out.subarray(0, at); break;
      case 2: out = Buffer.concat([out.subarray(0, at), random.bytes(random.below(9)), out.subarray(at)]); break;
      case 3: out = Buffer.concat([out.subarray(0, at), out.subarray(Math.min(out.length, at + random.below(9)))]); break;
      case 4:
        if (at + 4 <= out.length) out.writeUInt32BE(random.pick(LENGTHS), at);
        break;
      default: // A varint of any length.
        out = Buffer.concat([out.subarray(0, at), Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0x0f].slice(random.below(5))), out.subarray(at + 1)]);
    }
  }
  return out;
}

/** Elements and bytes of a value. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (Buffer.isBuffer(value)) return value.length;
  if (Array.isArray(value)) return value.reduce<number>((sum, each) => sum + 1 + sizeOf(each), 0);
  if (value === null || typeof value !== 'object') return 0;
  return Object.values(value).reduce<number>((sum, each) => sum + sizeOf(each), 0);
}

/** What a value has that its bytes do not pay for: names, defaults, the ids of topics as text, batches beside their records. */
const FREE = 4000;

export interface MutationCount {
  readonly inputs: number;
  readonly refused: number;
}

/** Goes through all codecs, again and again. Throws at the first that fails, with its input. */
export function mutateCodecs(random: Random, isOver: (inputs: number) => boolean): MutationCount {
  let inputs = 0;
  let refused = 0;
  for (;;) {
    for (const codec of codecs) {
      if (isOver(inputs)) return { inputs, refused };
      inputs += 1;
      const bytes = random.chance(0.1) ? random.bytes(random.below(200)) : mutated(codec.good(random), random);
      try {
        const size = sizeOf(codec.read(bytes, random));
        if (size > 8 * bytes.length + FREE) throw new Error(`${bytes.length} bytes became ${size}`);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw new Error(`${codec.name} of ${bytes.toString('hex')}: ${String(error)}`, { cause: error });
        refused += 1;
      }
    }
  }
}

export const codecCount = codecs.length;
