// Record batches of format 2, for small internal use: the metadata log, the offsets log, tests. Batches of clients are
// the data plane's and do not come here.
//
//   batch  := baseOffset:8 length:4 leaderEpoch:4 magic:1 crc:4 | attributes:2 lastOffsetDelta:4 baseTimestamp:8
//             maxTimestamp:8 producerId:8 producerEpoch:2 baseSequence:4 count:4 record*
//   record := length attributes:1 timestampDelta offsetDelta keyLength key valueLength value headerCount header*
//   header := keyLength key valueLength value
// The crc covers what follows it. A record's lengths, deltas and counts are zigzag varints.
import { crc32c } from '../../util/crc32c.js';
import { ProtocolError } from '../error.js';
import { Reader } from '../reader.js';
import { Writer } from '../writer.js';

export const compressionCodecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type CompressionCodec = (typeof compressionCodecs)[number];
export type Decompress = (codec: Exclude<CompressionCodec, 'none'>, data: Buffer) => Buffer;

const LENGTH_AT = 8;
const MAGIC_AT = 16;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const RECORDS_AT = 61;
/** Base offset and length, which the length does not count. */
const LOG_OVERHEAD = 12;
const MAGIC = 2;
/** One byte for each part of a record without key, value and headers. */
const LEAST_RECORD_BYTES = 7;
const LEAST_HEADER_BYTES = 2;

const COMPRESSION_MASK = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
const DELETE_HORIZON = 0x40;

export interface RecordHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

export interface LogRecord {
  readonly offset: bigint;
  readonly timestamp: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

export interface RecordBatch {
  readonly baseOffset: bigint;
  /** Of the last record that was ever in the batch, which compaction may have taken away. */
  readonly lastOffset: bigint;
  readonly sizeInBytes: number;
  readonly partitionLeaderEpoch: number;
  readonly crc: number;
  readonly attributes: number;
  readonly compression: CompressionCodec;
  readonly timestampType: 'create' | 'append';
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  /** When tombstones may go, where the batch carries it in place of its base timestamp. */
  readonly deleteHorizonMs: bigint | null;
  readonly baseTimestamp: bigint;
  readonly maxTimestamp: bigint;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
  /** The records as they lie in the batch, compressed or not; a view of the input. */
  readonly payload: Buffer;
}

export interface ParseOptions {
  /** A fetched or interrupted log may end within a batch: `ignore` stops before it, `refuse` (default) throws. */
  readonly partialTail?: 'ignore' | 'refuse';
}

/** The batches that lie one after the other in a buffer, with their checksums verified. */
export function parseBatches(buffer: Buffer, options: ParseOptions = {}): RecordBatch[] {
  const batches: RecordBatch[] = [];
  for (let at = 0; at < buffer.length; ) {
    const path = `batches[${batches.length}]`;
    const remaining = buffer.length - at;
    const size = remaining < LOG_OVERHEAD ? undefined : LOG_OVERHEAD + buffer.readInt32BE(at + LENGTH_AT);
    if (size !== undefined && size < RECORDS_AT) {
      throw new ProtocolError('malformed', `invalid length ${size - LOG_OVERHEAD}`, path);
    }
    if (size === undefined || size > remaining) {
      if (options.partialTail === 'ignore') break;
      throw new ProtocolError('truncated', `needs ${size ?? LOG_OVERHEAD} bytes, ${remaining} remain`, path);
    }
    batches.push(parseBatch(buffer.subarray(at, at + size), path));
    at += size;
  }
  return batches;
}

function parseBatch(bytes: Buffer, path: string): RecordBatch {
  const magic = bytes.readInt8(MAGIC_AT);
  if (magic !== MAGIC) throw new ProtocolError('malformed', `record format ${magic} is not supported`, path);
  const crc = bytes.readUInt32BE(CRC_AT);
  const actual = crc32c(bytes.subarray(ATTRIBUTES_AT));
  if (crc !== actual) throw new ProtocolError('malformed', `checksum is ${actual}, the batch says ${crc}`, path);

  const reader = new Reader(bytes, { start: ATTRIBUTES_AT });
  const attributes = reader.int16('attributes');
  const compression = compressionCodecs[attributes & COMPRESSION_MASK];
  if (compression === undefined) throw new ProtocolError('malformed', 'unknown compression', path);
  const lastOffsetDelta = reader.int32('lastOffsetDelta');
  const baseTimestamp = reader.int64('baseTimestamp');
  const baseOffset = bytes.readBigInt64BE(0);
  const batch: RecordBatch = {
    baseOffset,
    lastOffset: baseOffset + BigInt(lastOffsetDelta),
    sizeInBytes: bytes.length,
    partitionLeaderEpoch: bytes.readInt32BE(LOG_OVERHEAD),
    crc,
    attributes,
    compression,
    timestampType: (attributes & LOG_APPEND_TIME) !== 0 ? 'append' : 'create',
    isTransactional: (attributes & TRANSACTIONAL) !== 0,
    isControl: (attributes & CONTROL) !== 0,
    deleteHorizonMs: (attributes & DELETE_HORIZON) !== 0 ? baseTimestamp : null,
    baseTimestamp,
    maxTimestamp: reader.int64('maxTimestamp'),
    producerId: reader.int64('producerId'),
    producerEpoch: reader.int16('producerEpoch'),
    baseSequence: reader.int32('baseSequence'),
    recordCount: reader.int32('count'),
    payload: bytes.subarray(RECORDS_AT),
  };
  if (lastOffsetDelta < 0) throw new ProtocolError('malformed', `invalid last offset delta ${lastOffsetDelta}`, path);
  if (batch.recordCount < 0) throw new ProtocolError('malformed', `invalid record count ${batch.recordCount}`, path);
  return batch;
}

/** The records of a batch. Keys and values are views of the batch or of what `decompress` gave. */
export function readRecords(batch: RecordBatch, decompress?: Decompress): LogRecord[] {
  const { compression } = batch;
  let payload = batch.payload;
  if (compression !== 'none') {
    if (decompress === undefined) throw new ProtocolError('malformed', `batch is compressed with ${compression}`);
    payload = decompress(compression, payload);
  }
  if (batch.recordCount * LEAST_RECORD_BYTES > payload.length) {
    throw new ProtocolError('truncated', `${batch.recordCount} records do not fit into ${payload.length} bytes`);
  }
  const reader = new Reader(payload);
  const records: LogRecord[] = [];
  for (let i = 0; i < batch.recordCount; i++) {
    try {
      const length = reader.varint('length');
      records.push(readRecord(new Reader(reader.view(length, 'length')), batch));
    } catch (error) {
      throw error instanceof ProtocolError ? error.enclose(`records[${i}]`) : error;
    }
  }
  reader.expectEnd('records');
  return records;
}

function readRecord(reader: Reader, batch: RecordBatch): LogRecord {
  reader.int8('attributes');
  const timestampDelta = reader.varlong('timestampDelta');
  const offsetDelta = reader.varint('offsetDelta');
  const key = readField(reader, 'key');
  const value = readField(reader, 'value');
  const headerCount = reader.varint('headers');
  if (headerCount < 0 || headerCount * LEAST_HEADER_BYTES > reader.remaining) {
    throw new ProtocolError('malformed', `invalid number of headers ${headerCount}`, 'headers');
  }
  const headers: RecordHeader[] = [];
  for (let i = 0; i < headerCount; i++) {
    const name = readField(reader, 'headers');
    if (name === null) throw new ProtocolError('malformed', 'header without a key', 'headers');
    headers.push({ key: name.toString('utf8'), value: readField(reader, 'headers') });
  }
  reader.expectEnd('record');
  const timestamp = batch.timestampType === 'append' ? batch.maxTimestamp : batch.baseTimestamp + timestampDelta;
  return { offset: batch.baseOffset + BigInt(offsetDelta), timestamp, key, value, headers };
}

function readField(reader: Reader, field: string): Buffer | null {
  const length = reader.varint(field);
  return length === -1 ? null : reader.view(length, field);
}

export interface NewRecord {
  readonly key?: Uint8Array | null;
  readonly value?: Uint8Array | null;
  /** Defaults to the batch's. */
  readonly timestamp?: bigint;
  readonly headers?: readonly { readonly key: string; readonly value: Uint8Array | null }[];
}

export interface NewBatch {
  readonly records: readonly NewRecord[];
  readonly baseOffset?: bigint;
  readonly partitionLeaderEpoch?: number;
  /** Of the records that say nothing else. */
  readonly timestamp: bigint;
  readonly isControl?: boolean;
  readonly isTransactional?: boolean;
  readonly producerId?: bigint;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
}

/** An uncompressed batch, whose records have consecutive offsets. */
export function buildBatch(batch: NewBatch): Buffer {
  const { records } = batch;
  if (records.length === 0) throw new ProtocolError('invalid-value', 'a batch needs a record', 'records');
  const times = records.map((record) => record.timestamp ?? batch.timestamp);
  const baseTimestamp = times[0] as bigint;
  const writer = new Writer(RECORDS_AT + records.length * 64);
  writer.int64(batch.baseOffset ?? 0n, 'baseOffset');
  writer.int32(0, 'length');
  writer.int32(batch.partitionLeaderEpoch ?? -1, 'partitionLeaderEpoch');
  writer.int8(MAGIC, 'magic');
  writer.uint32(0, 'crc');
  writer.int16((batch.isTransactional ? TRANSACTIONAL : 0) | (batch.isControl ? CONTROL : 0), 'attributes');
  writer.int32(records.length - 1, 'lastOffsetDelta');
  writer.int64(baseTimestamp, 'baseTimestamp');
  writer.int64(times.reduce((a, b) => (a > b ? a : b)), 'maxTimestamp');
  writer.int64(batch.producerId ?? -1n, 'producerId');
  writer.int16(batch.producerEpoch ?? -1, 'producerEpoch');
  writer.int32(batch.baseSequence ?? -1, 'baseSequence');
  writer.int32(records.length, 'count');
  for (const [index, record] of records.entries()) {
    const body = new Writer(64);
    writeRecord(body, record, (times[index] as bigint) - baseTimestamp, index);
    const bytes = body.finish();
    writer.varint(bytes.length, 'length');
    writer.raw(bytes, 'record');
  }
  writer.patchInt32(LENGTH_AT, writer.position - LOG_OVERHEAD);
  writer.patchUint32(CRC_AT, crc32c(writer.finish().subarray(ATTRIBUTES_AT)));
  return writer.finish();
}

function writeRecord(writer: Writer, record: NewRecord, timestampDelta: bigint, offsetDelta: number): void {
  writer.int8(0, 'attributes');
  writer.varlong(timestampDelta, 'timestampDelta');
  writer.varint(offsetDelta, 'offsetDelta');
  writeField(writer, record.key ?? null, 'key');
  writeField(writer, record.value ?? null, 'value');
  const headers = record.headers ?? [];
  writer.varint(headers.length, 'headers');
  for (const header of headers) {
    writeField(writer, Buffer.from(header.key, 'utf8'), 'headers');
    writeField(writer, header.value, 'headers');
  }
}

function writeField(writer: Writer, value: Uint8Array | null, field: string): void {
  if (value === null) return writer.varint(-1, field);
  writer.varint(value.length, field);
  writer.raw(value, field);
}
