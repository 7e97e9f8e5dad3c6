import { ProtocolError } from './error.js';
import { uuidFromBytes } from './uuid.js';

/** Kafka refuses longer strings in either form, so that a message can always be written in every version. */
export const MAX_STRING_BYTES = 0x7fff;

const EMPTY = Buffer.alloc(0);

export interface ReaderOptions {
  readonly start?: number;
  readonly end?: number;
  /**
   * How many array elements and unknown tags may be read in all. An element of two bytes becomes an object of a
   * hundred, so what comes from outside needs a bound other than its size.
   */
  readonly maxElements?: number;
}

/**
 * Reads Kafka's primitive types from a buffer. Every length is compared with what remains before anything is read or
 * allocated. A failure throws a ProtocolError that carries the name of the field, and nothing else is ever thrown.
 */
export class Reader {
  readonly #buffer: Buffer;
  #position: number;
  #end: number;
  #elementsLeft: number;

  constructor(buffer: Buffer, options: ReaderOptions = {}) {
    const { start = 0, end = buffer.length, maxElements = Infinity } = options;
    if (start < 0 || end > buffer.length || start > end) throw new RangeError('reader bounds outside of the buffer');
    this.#buffer = buffer;
    this.#position = start;
    this.#end = end;
    this.#elementsLeft = maxElements;
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.#end - this.#position;
  }

  #take(size: number, field: string): number {
    const at = this.#position;
    if (size > this.#end - at) {
      throw new ProtocolError('truncated', `needs ${size} bytes, ${this.#end - at} remain`, field);
    }
    this.#position = at + size;
    return at;
  }

  bool(field: string): boolean {
    return this.#buffer[this.#take(1, field)] !== 0;
  }

  int8(field: string): number {
    return this.#buffer.readInt8(this.#take(1, field));
  }

  uint8(field: string): number {
    return this.#buffer.readUInt8(this.#take(1, field));
  }

  int16(field: string): number {
    return this.#buffer.readInt16BE(this.#take(2, field));
  }

  /** Looks at what lies ahead without moving. */
  peekInt16(ahead: number, field: string): number {
    const at = this.#position;
    this.#take(ahead + 2, field);
    this.#position = at;
    return this.#buffer.readInt16BE(at + ahead);
  }

  uint16(field: string): number {
    return this.#buffer.readUInt16BE(this.#take(2, field));
  }

  int32(field: string): number {
    return this.#buffer.readInt32BE(this.#take(4, field));
  }

  uint32(field: string): number {
    return this.#buffer.readUInt32BE(this.#take(4, field));
  }

  int64(field: string): bigint {
    return this.#buffer.readBigInt64BE(this.#take(8, field));
  }

  float64(field: string): number {
    return this.#buffer.readDoubleBE(this.#take(8, field));
  }

  uuid(field: string): string {
    return uuidFromBytes(this.#buffer, this.#take(16, field));
  }

  /** Unsigned, 32 bits, at most five bytes. */
  uvarint(field: string): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#buffer[this.#take(1, field)] as number;
      if (shift === 28 && byte > 0x0f) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new ProtocolError('malformed', 'variable-length integer is wider than 32 bits', field);
  }

  /** Zigzag, 32 bits. */
  varint(field: string): number {
    const raw = this.uvarint(field);
    return (raw >>> 1) ^ -(raw & 1);
  }

  /** Zigzag, 64 bits, at most ten bytes. */
  varlong(field: string): bigint {
    let raw = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#buffer[this.#take(1, field)] as number;
      if (shift === 63n && byte > 1) break;
      raw |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return (raw >> 1n) ^ -(raw & 1n);
    }
    throw new ProtocolError('malformed', 'variable-length integer is wider than 64 bits', field);
  }

  /** The next bytes as a view: it keeps the whole underlying buffer alive. */
  view(length: number, field: string): Buffer {
    if (length < 0) throw new ProtocolError('malformed', `negative length ${length}`, field);
    const at = this.#take(length, field);
    return this.#buffer.subarray(at, at + length);
  }

  string(field: string): string {
    return this.#text(this.int16(field), field) ?? this.#refuseNull(field);
  }

  nullableString(field: string): string | null {
    return this.#text(this.int16(field), field);
  }

  compactString(field: string): string {
    return this.#text(this.uvarint(field) - 1, field) ?? this.#refuseNull(field);
  }

  compactNullableString(field: string): string | null {
    return this.#text(this.uvarint(field) - 1, field);
  }

  #text(length: number, field: string): string | null {
    if (length === -1) return null;
    if (length < 0 || length > MAX_STRING_BYTES) {
      throw new ProtocolError('malformed', `invalid string length ${length}`, field);
    }
    const at = this.#take(length, field);
    return this.#buffer.toString('utf8', at, at + length);
  }

  bytes(field: string): Buffer {
    return this.#copy(this.int32(field), field) ?? this.#refuseNull(field);
  }

  nullableBytes(field: string): Buffer | null {
    return this.#copy(this.int32(field), field);
  }

  compactBytes(field: string): Buffer {
    return this.#copy(this.uvarint(field) - 1, field) ?? this.#refuseNull(field);
  }

  compactNullableBytes(field: string): Buffer | null {
    return this.#copy(this.uvarint(field) - 1, field);
  }

  #copy(length: number, field: string): Buffer | null {
    if (length === -1) return null;
    const view = this.view(length, field);
    return length === 0 ? EMPTY : Buffer.from(view);
  }

  /** Records stay a view of the input: they can be large, and nothing here looks inside. */
  records(field: string): Buffer {
    return this.nullableRecords(field) ?? this.#refuseNull(field);
  }

  nullableRecords(field: string): Buffer | null {
    const length = this.int32(field);
    return length === -1 ? null : this.view(length, field);
  }

  compactRecords(field: string): Buffer {
    return this.compactNullableRecords(field) ?? this.#refuseNull(field);
  }

  compactNullableRecords(field: string): Buffer | null {
    const length = this.uvarint(field) - 1;
    return length === -1 ? null : this.view(length, field);
  }

  /**
   * The number of elements of an array, -1 for null. `elementBytes` is the least that one element takes, so that a
   * count which the remaining bytes cannot hold is refused before the first element.
   */
  arrayLength(elementBytes: number, field: string): number {
    return this.#count(this.int32(field), elementBytes, field);
  }

  compactArrayLength(elementBytes: number, field: string): number {
    return this.#count(this.uvarint(field) - 1, elementBytes, field);
  }

  #count(count: number, elementBytes: number, field: string): number {
    if (count < -1) throw new ProtocolError('malformed', `invalid array length ${count}`, field);
    if (count * Math.max(1, elementBytes) > this.remaining) {
      throw new ProtocolError('truncated', `${count} elements do not fit into ${this.remaining} bytes`, field);
    }
    this.#spend(count, field);
    return count;
  }

  #spend(count: number, field: string): void {
    if (count > this.#elementsLeft) throw new ProtocolError('malformed', 'too many elements in one message', field);
    if (count > 0) this.#elementsLeft -= count;
  }

  /** The number of tagged fields. Each takes a tag and a size, two bytes at the least. */
  tagCount(field: string): number {
    const count = this.uvarint(field);
    if (count * 2 > this.remaining) {
      throw new ProtocolError('truncated', `${count} tagged fields do not fit into ${this.remaining} bytes`, field);
    }
    this.#spend(count, field);
    return count;
  }

  /** Reads a size and narrows the reader to that many bytes; the result is handed to `leave`. */
  enter(field: string): number {
    const size = this.uvarint(field);
    const outer = this.#end;
    const at = this.#take(size, field);
    this.#position = at;
    this.#end = at + size;
    return outer;
  }

  leave(outer: number, field: string): void {
    if (this.#position !== this.#end) {
      throw new ProtocolError('malformed', `${this.remaining} bytes left over in a tagged field`, field);
    }
    this.#end = outer;
  }

  /** A copy of everything up to the end. */
  rest(): Buffer {
    const view = this.#buffer.subarray(this.#position, this.#end);
    this.#position = this.#end;
    return Buffer.from(view);
  }

  expectEnd(field = ''): void {
    if (this.remaining > 0) throw new ProtocolError('malformed', `${this.remaining} bytes after the end`, field);
  }

  #refuseNull(field: string): never {
    throw new ProtocolError('malformed', 'must not be null', field);
  }
}
