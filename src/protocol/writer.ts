import { ProtocolError } from './error.js';
import { MAX_STRING_BYTES } from './reader.js';
import { uuidToBytes } from './uuid.js';

/** Nothing that Kafka frames is larger than a signed 32-bit length can say. */
const MAX_BYTES = 0x7fffffff;

export function uvarintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

function refuse(reason: string, field: string): never {
  throw new ProtocolError('invalid-value', reason, field);
}

function show(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  return typeof value === 'object' ? Object.prototype.toString.call(value) : String(value);
}

/** Writes Kafka's primitive types into a buffer that grows. Values that do not fit their type throw a ProtocolError. */
export class Writer {
  #buffer: Buffer;
  #position = 0;

  constructor(capacity = 256) {
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(16, capacity));
  }

  get position(): number {
    return this.#position;
  }

  /** What has been written, as a view: further writing may or may not change it. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#position);
  }

  #reserve(size: number): number {
    const at = this.#position;
    const needed = at + size;
    if (needed > this.#buffer.length) this.#grow(needed);
    this.#position = needed;
    return at;
  }

  #grow(needed: number): void {
    if (needed > MAX_BYTES) refuse(`message is larger than ${MAX_BYTES} bytes`, '');
    const larger = Buffer.allocUnsafeSlow(Math.min(MAX_BYTES, Math.max(needed, this.#buffer.length * 2)));
    this.#buffer.copy(larger, 0, 0, this.#position);
    this.#buffer = larger;
  }

  bool(value: boolean, field: string): void {
    if (typeof value !== 'boolean') refuse(`not a boolean: ${show(value)}`, field);
    this.#byte(value ? 1 : 0);
  }

  int8(value: number, field: string): void {
    if (typeof value !== 'number' || (value << 24) >> 24 !== value) refuse(`not an int8: ${show(value)}`, field);
    const at = this.#reserve(1);
    this.#buffer[at] = value;
  }

  int16(value: number, field: string): void {
    if (typeof value !== 'number' || (value << 16) >> 16 !== value) refuse(`not an int16: ${show(value)}`, field);
    const at = this.#reserve(2);
    this.#buffer.writeInt16BE(value, at);
  }

  uint16(value: number, field: string): void {
    if (typeof value !== 'number' || (value & 0xffff) !== value) refuse(`not a uint16: ${show(value)}`, field);
    const at = this.#reserve(2);
    this.#buffer.writeUInt16BE(value, at);
  }

  int32(value: number, field: string): void {
    if (typeof value !== 'number' || (value | 0) !== value) refuse(`not an int32: ${show(value)}`, field);
    const at = this.#reserve(4);
    this.#buffer.writeInt32BE(value, at);
  }

  uint32(value: number, field: string): void {
    if (typeof value !== 'number' || value >>> 0 !== value) refuse(`not a uint32: ${show(value)}`, field);
    const at = this.#reserve(4);
    this.#buffer.writeUInt32BE(value, at);
  }

  int64(value: bigint, field: string): void {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) refuse(`not an int64: ${show(value)}`, field);
    const at = this.#reserve(8);
    this.#buffer.writeBigInt64BE(value, at);
  }

  float64(value: number, field: string): void {
    if (typeof value !== 'number') refuse(`not a float64: ${show(value)}`, field);
    const at = this.#reserve(8);
    this.#buffer.writeDoubleBE(value, at);
  }

  uuid(value: string, field: string): void {
    let bytes: Buffer;
    try {
      bytes = uuidToBytes(value);
    } catch {
      refuse(`not a uuid: ${show(value)}`, field);
    }
    const at = this.#reserve(16);
    bytes.copy(this.#buffer, at);
  }

  uvarint(value: number, field: string): void {
    if (typeof value !== 'number' || value >>> 0 !== value) refuse(`not a uint32: ${show(value)}`, field);
    let at = this.#reserve(uvarintSize(value));
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.#buffer[at++] = (rest & 0x7f) | 0x80;
    this.#buffer[at] = rest;
  }

  varint(value: number, field: string): void {
    if (typeof value !== 'number' || (value | 0) !== value) refuse(`not an int32: ${show(value)}`, field);
    this.uvarint(((value << 1) ^ (value >> 31)) >>> 0, field);
  }

  varlong(value: bigint, field: string): void {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) refuse(`not an int64: ${show(value)}`, field);
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    for (; rest > 0x7fn; rest >>= 7n) this.#byte(Number(rest & 0x7fn) | 0x80);
    this.#byte(Number(rest));
  }

  #byte(value: number): void {
    const at = this.#reserve(1);
    this.#buffer[at] = value;
  }

  /** Bytes as they are, without a length. */
  raw(value: Uint8Array, field: string): void {
    if (!(value instanceof Uint8Array)) refuse(`not bytes: ${show(value)}`, field);
    const at = this.#reserve(value.length);
    this.#buffer.set(value, at);
  }

  string(value: string, field: string): void {
    const size = this.#textSize(value, field);
    this.int16(size, field);
    this.#text(value, size);
  }

  nullableString(value: string | null, field: string): void {
    if (value === null) this.int16(-1, field);
    else this.string(value, field);
  }

  compactString(value: string, field: string): void {
    const size = this.#textSize(value, field);
    this.uvarint(size + 1, field);
    this.#text(value, size);
  }

  compactNullableString(value: string | null, field: string): void {
    if (value === null) this.uvarint(0, field);
    else this.compactString(value, field);
  }

  #textSize(value: string, field: string): number {
    if (typeof value !== 'string') refuse(`not a string: ${show(value)}`, field);
    const size = Buffer.byteLength(value, 'utf8');
    if (size > MAX_STRING_BYTES) refuse(`string of ${size} bytes is longer than ${MAX_STRING_BYTES}`, field);
    return size;
  }

  #text(value: string, size: number): void {
    const at = this.#reserve(size);
    this.#buffer.write(value, at, size, 'utf8');
  }

  bytes(value: Uint8Array, field: string): void {
    if (!(value instanceof Uint8Array)) refuse(`not bytes: ${show(value)}`, field);
    this.int32(value.length, field);
    this.raw(value, field);
  }

  nullableBytes(value: Uint8Array | null, field: string): void {
    if (value === null) this.int32(-1, field);
    else this.bytes(value, field);
  }

  compactBytes(value: Uint8Array, field: string): void {
    if (!(value instanceof Uint8Array)) refuse(`not bytes: ${show(value)}`, field);
    this.uvarint(value.length + 1, field);
    this.raw(value, field);
  }

  compactNullableBytes(value: Uint8Array | null, field: string): void {
    if (value === null) this.uvarint(0, field);
    else this.compactBytes(value, field);
  }

  /** Bytes behind their size, the form of a tagged field. */
  sized(value: Uint8Array, field: string): void {
    if (!(value instanceof Uint8Array)) refuse(`not bytes: ${show(value)}`, field);
    this.uvarint(value.length, field);
    this.raw(value, field);
  }

  /** Opens a size-prefixed section; everything up to `close` with the result belongs to it. */
  open(): number {
    return this.#reserve(1);
  }

  /** Nearly all sections are shorter than 128 bytes, so one byte is kept for the size and the rare longer one moves. */
  close(start: number, field: string): void {
    const size = this.#position - start - 1;
    const extra = uvarintSize(size) - 1;
    if (extra > 0) {
      this.#reserve(extra);
      this.#buffer.copyWithin(start + 1 + extra, start + 1, start + 1 + size);
    }
    const end = this.#position;
    this.#position = start;
    this.uvarint(size, field);
    this.#position = end;
  }

  /** Overwrites four bytes that were written before, such as a length that is known only at the end. */
  patchInt32(at: number, value: number): void {
    if (at < 0 || at + 4 > this.#position) throw new RangeError('patch outside of what has been written');
    this.#buffer.writeInt32BE(value, at);
  }

  patchUint32(at: number, value: number): void {
    if (at < 0 || at + 4 > this.#position) throw new RangeError('patch outside of what has been written');
    this.#buffer.writeUInt32BE(value, at);
  }
}
