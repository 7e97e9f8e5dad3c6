// Record batches of version 2 in plain Buffers, for tests that must not rely on the product: built with a producer id and sequence,
// and parsed again, CRC checked. Uncompressed only.

export interface RawRecord {
  readonly offset: number;
  readonly value: Buffer;
}

export interface BatchOptions {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

const HEADER_BYTES = 61;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;

const crcTable = Uint32Array.from({ length: 256 }, (_, i) => {
  let crc = i;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc >>> 0;
});

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (crcTable[(crc ^ byte) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value < 0 ? -value * 2 - 1 : value * 2;
  for (; left >= 0x80; left = Math.floor(left / 128)) bytes.push((left % 128) | 0x80);
  bytes.push(left);
  return Buffer.from(bytes);
}

export function buildBatch(values: readonly Buffer[], options: BatchOptions): Buffer {
  const records = values.map((value, i) => {
    const body = Buffer.concat([Buffer.from([0]), varint(0), varint(i), varint(-1), varint(value.length), value, varint(0)]);
    return Buffer.concat([varint(body.length), body]);
  });
  const header = Buffer.alloc(HEADER_BYTES);
  const now = BigInt(Date.now());
  header.writeInt32BE(-1, 12);
  header.writeInt8(2, 16);
  header.writeInt32BE(values.length - 1, 23);
  header.writeBigInt64BE(now, 27);
  header.writeBigInt64BE(now, 35);
  header.writeBigInt64BE(options.producerId, 43);
  header.writeInt16BE(options.producerEpoch, 51);
  header.writeInt32BE(options.baseSequence, 53);
  header.writeInt32BE(values.length, 57);
  const batch = Buffer.concat([header, ...records]);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeUInt32BE(crc32c(batch.subarray(ATTRIBUTES_AT)), CRC_AT);
  return batch;
}

/** All records of the complete batches in `bytes`. Throws where a batch is not what it should be. */
export function parseBatches(bytes: Buffer): RawRecord[] {
  const records: RawRecord[] = [];
  for (let at = 0; bytes.length - at >= HEADER_BYTES; ) {
    const size = bytes.readInt32BE(at + 8) + 12;
    if (bytes.length - at < size) break;
    const batch = bytes.subarray(at, at + size);
    const baseOffset = Number(batch.readBigInt64BE(0));
    if (batch.readInt8(16) !== 2) throw new Error(`magic ${batch.readInt8(16)} at offset ${baseOffset}`);
    if (crc32c(batch.subarray(ATTRIBUTES_AT)) !== batch.readUInt32BE(CRC_AT)) throw new Error(`CRC at offset ${baseOffset}`);
    if ((batch.readInt16BE(ATTRIBUTES_AT) & 0x27) !== 0) throw new Error(`compressed or control batch at offset ${baseOffset}`);
    let position = HEADER_BYTES;
    const next = (): number => {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = batch.readUInt8(position++);
        value += (byte & 0x7f) * scale;
        if (byte < 0x80) break;
      }
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    };
    const bytesOf = (length: number): Buffer => {
      if (length <= 0) return Buffer.alloc(0);
      position += length;
      return batch.subarray(position - length, position);
    };
    const count = batch.readInt32BE(57);
    for (let i = 0; i < count; i += 1) {
      const length = next();
      const end = position + length;
      position += 1;
      next();
      const offset = baseOffset + next();
      bytesOf(next());
      records.push({ offset, value: bytesOf(next()) });
      position = end;
    }
    at += size;
  }
  return records;
}
