import { type NativeRecord, type PackedRecords } from './binding.js';

/** Numbers of one record in PackedRecords.table: offset above the base, time, and where key and value lie; length -1 is null. */
const RECORD_NUMBERS = 6;
/** Numbers of one header in PackedRecords.headers: its record's index, and where key and value lie. */
const HEADER_NUMBERS = 5;

/** Shared by all records without headers, so nobody may change it. */
const NONE = Object.freeze([]) as unknown as NativeRecord['headers'];

function part(bytes: Buffer, at: number, length: number): Buffer | null {
  return length < 0 ? null : bytes.subarray(at, at + length);
}

/** The records of one read. Keys and values are views of the read's one stretch of memory. */
export function unpackRecords(packed: PackedRecords): NativeRecord[] {
  const { bytes, table, headers, baseOffset } = packed;
  const count = table.length / RECORD_NUMBERS;
  const records = new Array<NativeRecord>(count);
  const base = Number(baseOffset);
  const isSmall = Number.isSafeInteger(base + (table[table.length - RECORD_NUMBERS] ?? 0));
  for (let i = 0, at = 0; i < count; i += 1, at += RECORD_NUMBERS) {
    const delta = table[at]!;
    records[i] = {
      offset: isSmall ? BigInt(base + delta) : baseOffset + BigInt(delta),
      timestampMs: table[at + 1]!,
      key: part(bytes, table[at + 2]!, table[at + 3]!),
      value: part(bytes, table[at + 4]!, table[at + 5]!),
      headers: NONE,
    };
  }
  for (let at = 0; at < headers.length; at += HEADER_NUMBERS) {
    const record = records[headers[at]!]!;
    if (record.headers === NONE) record.headers = [];
    record.headers.push({
      key: bytes.toString('utf8', headers[at + 1]!, headers[at + 1]! + headers[at + 2]!),
      value: part(bytes, headers[at + 3]!, headers[at + 4]!),
    });
  }
  return records;
}
