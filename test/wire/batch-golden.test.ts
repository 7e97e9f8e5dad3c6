// The control plane's batch codec against the bytes of Apache Kafka's own classes: the fixture that the engine's codec is held to as
// well (test/native/batch/golden_test.cc), so that both read and write the same.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type LogRecord, type RecordBatch, buildBatch, parseBatches, readRecords } from '../../src/protocol/index.js';
import { repositoryRoot } from '../support/paths.js';

interface Golden {
  readonly name: string;
  readonly fields: ReadonlyMap<string, string>;
  readonly bytes: Buffer;
  readonly records: LogRecord[];
}

/** "-" null, "." empty, hex with "+61*70000+" for runs: see GoldenBatches.java. */
function parseBytes(text: string): Buffer | null {
  if (text === '-') return null;
  if (text === '.') return Buffer.alloc(0);
  const parts = [...text.matchAll(/\+([0-9a-f]{2})\*(\d+)\+|([0-9a-f]+)/g)];
  return Buffer.concat(parts.map(([, byte, count, hex]) =>
    hex !== undefined ? Buffer.from(hex, 'hex') : Buffer.alloc(Number(count), Number.parseInt(byte as string, 16))));
}

function some(text: string | undefined): Buffer {
  const bytes = parseBytes(text ?? '-');
  assert.ok(bytes !== null);
  return bytes;
}

function loadGolden(): Golden[] {
  const batches: Golden[] = [];
  const file = join(repositoryRoot, 'test/native/batch/golden_batches.txt');
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const words = line.split(' ');
    if (words[0] === 'B') {
      const fields = words.slice(2, -1).map((field) => field.split('=') as [string, string]);
      batches.push({ name: words[1] as string, fields: new Map(fields), bytes: some(words.at(-1)), records: [] });
    } else if (words[0] === 'R') {
      const [, offset, timestamp, key, value, ...headers] = words as [string, string, string, string, string];
      batches.at(-1)?.records.push({
        offset: BigInt(offset),
        timestamp: BigInt(timestamp),
        key: parseBytes(key),
        value: parseBytes(value),
        headers: (headers as string[]).map((header) => {
          const [name, content] = header.split('=');
          return { key: some(name).toString('utf8'), value: parseBytes(content as string) };
        }),
      });
    }
  }
  return batches;
}

const golden = loadGolden();

function parseOne(bytes: Buffer): RecordBatch {
  const [batch, ...more] = parseBatches(bytes);
  assert.ok(batch !== undefined && more.length === 0);
  return batch;
}

test('the fixture is there', () => {
  assert.ok(golden.length > 15);
  assert.ok(golden.every(({ records, fields }) => records.length === Number(fields.get('count'))));
});

for (const { name, fields, bytes, records } of golden) {
  const compression = fields.get('codec');

  test(`${name}: header and records as Kafka reads them`, () => {
    const batch = parseOne(bytes);
    const seen = {
      codec: batch.compression, baseOffset: batch.baseOffset, lastOffset: batch.lastOffset, leaderEpoch: batch.partitionLeaderEpoch,
      logAppendTime: batch.timestampType === 'append' ? 1 : 0, maxTimestamp: batch.maxTimestamp, producerId: batch.producerId,
      producerEpoch: batch.producerEpoch, baseSequence: batch.baseSequence, transactional: batch.isTransactional ? 1 : 0,
      control: batch.isControl ? 1 : 0, count: batch.recordCount, crc: batch.crc,
    };
    for (const [field, value] of Object.entries(seen)) assert.equal(String(value), fields.get(field), field);
    if (compression !== 'none' && compression !== 'gzip') return; // Node has no snappy, lz4 or zstd; the engine's tests read those
    const read = readRecords(batch, (_, data) => gunzipSync(data));
    assert.equal(read.length, records.length);
    for (const [i, record] of read.entries()) assert.deepEqual(plain(record), plain(records[i] as LogRecord), `record ${i}`);
  });

  if (compression !== 'none' || fields.get('logAppendTime') === '1') continue;
  test(`${name}: built to Kafka's bytes`, () => {
    const built = buildBatch({
      timestamp: 0n,
      records,
      baseOffset: BigInt(fields.get('baseOffset') as string),
      partitionLeaderEpoch: Number(fields.get('leaderEpoch')),
      producerId: BigInt(fields.get('producerId') as string),
      producerEpoch: Number(fields.get('producerEpoch')),
      baseSequence: Number(fields.get('baseSequence')),
      isTransactional: fields.get('transactional') === '1',
      isControl: fields.get('control') === '1',
    });
    assert.ok(built.equals(bytes), built.toString('hex', 0, 100));
  });
}

/** With bytes as hex: views of different buffers are equal when what they show is. */
function plain(record: LogRecord): unknown {
  const text = (bytes: Buffer | null) => bytes?.toString('hex') ?? null;
  return { ...record, key: text(record.key), value: text(record.value), headers: record.headers.map((h) => ({ key: h.key, value: text(h.value) })) };
}
