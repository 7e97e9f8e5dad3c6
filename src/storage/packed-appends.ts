// Appends of one tick, packed into one stretch of memory, so that they cross into the engine together. All numbers little-endian:
//
//   append = partition:u32 kind:u32 level:i32 count:u32 record*                                kind: the codec's number, and CONTROL for a control batch
//   record = timestamp:f64 keyLength:i32 valueLength:i32 headerCount:u32 key value header*      timestamp NaN: now; length -1: null
//   header = keyLength:i32 valueLength:i32 key value
import { type Compression, type RecordInput } from '../native/binding.js';
import { LogError } from './errors.js';

const APPEND_BYTES = 16;
const RECORD_BYTES = 20;
const HEADER_BYTES = 8;
const FIRST_BYTES = 64 << 10;
const KEPT_BYTES = 4 << 20;
const MOST_BYTES = 2 ** 31 - 1;

const CODECS: Readonly<Record<Compression, number>> = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 };
const CONTROL = 0x100;
const DEFAULT_LEVEL = -(2 ** 31);

export interface PackOptions {
  readonly compression: Compression;
  readonly compressionLevel?: number | undefined;
  /** A control batch: KRaft's leader changes and snapshot records. */
  readonly control?: boolean;
}

function sizeOfBytes(bytes: Uint8Array | null | undefined, what: string): number {
  if (bytes === null || bytes === undefined) return 0;
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`${what} must be a Uint8Array or null`);
  return bytes.length;
}

function sizeOfRecord(record: RecordInput): number {
  if (typeof record !== 'object' || record === null) throw new TypeError('a record must be { key, value, timestampMs?, headers? }');
  let size = RECORD_BYTES + sizeOfBytes(record.key, 'key') + sizeOfBytes(record.value, 'value');
  const { timestampMs, headers } = record;
  if (timestampMs !== undefined) {
    if (typeof timestampMs !== 'number' || !Number.isSafeInteger(timestampMs)) throw new TypeError('timestampMs must be a whole number below 2^53');
    if (timestampMs < -1) throw new LogError('ERR_SLUICE_INVALID', `timestampMs must be 0 or more, or -1 for none, not ${timestampMs}`);
  }
  if (headers === undefined) return size;
  if (!Array.isArray(headers)) throw new TypeError('headers must be an array of { key, value }');
  for (const header of headers as readonly { key: string; value: Uint8Array | null }[]) {
    if (typeof header !== 'object' || header === null) throw new TypeError('a header must be { key, value }');
    if (typeof header.key !== 'string') throw new TypeError('header key must be a string');
    size += HEADER_BYTES + Buffer.byteLength(header.key) + sizeOfBytes(header.value, 'header value');
  }
  return size;
}

export class PackedAppends {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Copies the records. Throws, and changes nothing, when one of them or an option is not what it must be. */
  add(partition: number, records: readonly RecordInput[], options: PackOptions): void {
    const codec = CODECS[options.compression];
    if (codec === undefined) throw new TypeError(`compression must be none, gzip, snappy, lz4 or zstd, not '${String(options.compression)}'`);
    const level = options.compressionLevel ?? DEFAULT_LEVEL;
    if (!Number.isInteger(level) || level !== (level | 0)) throw new TypeError('compressionLevel must be a whole number of 32 bits');
    if (records.length === 0) throw new TypeError('records must hold at least one record');
    let size = APPEND_BYTES;
    for (let i = 0; i < records.length; i += 1) size += sizeOfRecord(records[i]!);
    this.#reserve(size);
    const view = this.#view;
    let at = this.#length;
    view.setUint32(at, partition, true);
    view.setUint32(at + 4, codec | (options.control === true ? CONTROL : 0), true);
    view.setInt32(at + 8, level, true);
    view.setUint32(at + 12, records.length, true);
    at += APPEND_BYTES;
    for (let i = 0; i < records.length; i += 1) at = this.#putRecord(at, records[i]!);
    // What a record's getters or another thread did meanwhile must not be taken for what was measured.
    if (at !== this.#length + size) throw new TypeError('a record changed while it was appended');
    this.#length = at;
  }

  /** What was added since the last call; a view that the next add may overwrite. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    if (this.#bytes.length > KEPT_BYTES) this.#use(Buffer.allocUnsafeSlow(FIRST_BYTES));
    return taken;
  }

  #use(bytes: Buffer<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#bytes.length) return;
    if (needed > MOST_BYTES) throw new LogError('ERR_SLUICE_TOO_LARGE', `records of ${size} bytes are more than one append can take`);
    const bigger = Buffer.allocUnsafeSlow(Math.min(MOST_BYTES, Math.max(needed, this.#bytes.length * 2)));
    bigger.set(this.#bytes.subarray(0, this.#length));
    this.#use(bigger);
  }

  #putBytes(lengthAt: number, at: number, bytes: Uint8Array | null | undefined): number {
    if (bytes === null || bytes === undefined) {
      this.#view.setInt32(lengthAt, -1, true);
      return at;
    }
    this.#view.setInt32(lengthAt, bytes.length, true);
    this.#bytes.set(bytes, at);
    return at + bytes.length;
  }

  #putRecord(start: number, record: RecordInput): number {
    const { headers } = record;
    this.#view.setFloat64(start, record.timestampMs ?? NaN, true);
    this.#view.setUint32(start + 16, headers?.length ?? 0, true);
    let at = this.#putBytes(start + 8, start + RECORD_BYTES, record.key);
    at = this.#putBytes(start + 12, at, record.value);
    if (headers === undefined) return at;
    for (const header of headers) {
      const keyLength = this.#bytes.write(header.key, at + HEADER_BYTES);
      this.#view.setInt32(at, keyLength, true);
      at = this.#putBytes(at + 4, at + HEADER_BYTES + keyLength, header.value);
    }
    return at;
  }
}
