import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NewBatch, ProtocolError, buildBatch, parseBatches, readRecords } from '../../../src/protocol/index.js';
import { crc32c } from '../../../src/util/crc32c.js';
import { Random, testSeed } from '../../support/random.js';

const ATTRIBUTES_AT = 21;
const LAST_OFFSET_DELTA_AT = 23;
const COUNT_AT = 57;
const RECORDS_AT = 61;

const example: NewBatch = {
  timestamp: 1_000n,
  baseOffset: 10n,
  partitionLeaderEpoch: 4,
  records: [
    { key: Buffer.from('k'), value: Buffer.from('v'), headers: [{ key: 'h', value: null }] },
    { value: Buffer.from('w'), timestamp: 900n },
  ],
};

function only(buffer: Buffer) {
  const batches = parseBatches(buffer);
  assert.equal(batches.length, 1);
  return batches[0] as NonNullable<(typeof batches)[0]>;
}

/** Changes a batch and makes its checksum right again. */
function changed(change: (batch: Buffer) => Buffer | void): Buffer {
  const original = buildBatch(example);
  const batch = change(original) ?? original;
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeUInt32BE(crc32c(batch.subarray(ATTRIBUTES_AT)), 17);
  return batch;
}

function refused(body: () => unknown, message: RegExp): void {
  assert.throws(body, (error) => error instanceof ProtocolError && message.test(error.message));
}

test('a batch has the layout of format 2', () => {
  const batch = buildBatch(example);
  assert.equal(
    batch.toString('hex'),
    ['000000000000000a', '00000046', '00000004', '02', batch.subarray(17, 21).toString('hex'), '0000', '00000001',
      '00000000000003e8', '00000000000003e8', 'ffffffffffffffff', 'ffff', 'ffffffff', '00000002',
      ...recordBytes()].join(''),
  );
  assert.equal(batch.readUInt32BE(17), crc32c(batch.subarray(ATTRIBUTES_AT)));
});

/** length, attributes, timestamp delta, offset delta, key, value, headers */
function recordBytes(): string[] {
  return [
    '16', '00', '00', '00', '026b', '0276', '02', '0268', '01',
    '10', '00', 'c701', '02', '01', '0277', '00',
  ];
}

test('what is built is what is read', () => {
  const batch = only(buildBatch(example));
  const { payload, crc, ...header } = batch;
  assert.deepEqual(header, {
    baseOffset: 10n, lastOffset: 11n, sizeInBytes: RECORDS_AT + payload.length, partitionLeaderEpoch: 4, attributes: 0,
    compression: 'none', timestampType: 'create', isTransactional: false, isControl: false, deleteHorizonMs: null,
    baseTimestamp: 1_000n, maxTimestamp: 1_000n, producerId: -1n, producerEpoch: -1, baseSequence: -1, recordCount: 2,
  });
  assert.ok(crc > 0);
  assert.deepEqual(readRecords(batch), [
    { offset: 10n, timestamp: 1_000n, ...example.records[0] },
    { offset: 11n, timestamp: 900n, key: null, value: Buffer.from('w'), headers: [] },
  ]);
});

test('attributes say what a batch is', () => {
  const control = only(buildBatch({ ...example, isControl: true, isTransactional: true }));
  assert.deepEqual([control.isControl, control.isTransactional], [true, true]);
  const appended = only(changed((b) => void b.writeInt16BE(0x08, ATTRIBUTES_AT)));
  assert.deepEqual(readRecords(appended).map((r) => r.timestamp), [1_000n, 1_000n]);
  assert.equal(only(changed((b) => void b.writeInt16BE(0x40, ATTRIBUTES_AT))).deleteHorizonMs, 1_000n);
  assert.equal(only(changed((b) => void b.writeInt16BE(0x04, ATTRIBUTES_AT))).compression, 'zstd');
});

test('compressed batches go through the given function', () => {
  const plain = only(buildBatch(example));
  const packed = changed((b) => {
    b.writeInt16BE(0x02, ATTRIBUTES_AT);
    return Buffer.concat([b.subarray(0, RECORDS_AT), Buffer.from('packed')]);
  });
  const batch = only(packed);
  const records = readRecords(batch, (codec, data) => {
    assert.deepEqual([codec, data.toString()], ['snappy', 'packed']);
    return plain.payload;
  });
  assert.deepEqual(records, readRecords(plain));
  refused(() => readRecords(batch), /compressed with snappy/);
  refused(() => readRecords(batch, () => Buffer.alloc(3)), /do not fit/);
});

test('several batches follow each other, and a partial one at the end can be left out', () => {
  const two = Buffer.concat([buildBatch(example), buildBatch({ ...example, baseOffset: 12n })]);
  assert.deepEqual(parseBatches(two).map((b) => b.baseOffset), [10n, 12n]);
  for (let cut = 1; cut < two.length / 2; cut++) {
    const partial = two.subarray(0, two.length - cut);
    refused(() => parseBatches(partial), /batches\[1\]: needs/);
    assert.deepEqual(parseBatches(partial, { partialTail: 'ignore' }).map((b) => b.baseOffset), [10n]);
  }
  assert.deepEqual(parseBatches(Buffer.alloc(0)), []);
});

test('a damaged batch is refused', () => {
  const wrongByte = buildBatch(example);
  wrongByte[70] = (wrongByte[70] as number) ^ 1;
  refused(() => parseBatches(wrongByte), /checksum/);
  const oldFormat = buildBatch(example);
  oldFormat[16] = 1;
  refused(() => parseBatches(oldFormat), /format 1/);
  const short = buildBatch(example);
  short.writeInt32BE(48, 8);
  refused(() => parseBatches(short), /invalid length 48/);
  short.writeInt32BE(-1, 8);
  refused(() => parseBatches(short, { partialTail: 'ignore' }), /invalid length -1/);
  refused(() => parseBatches(changed((b) => void b.writeInt16BE(0x05, ATTRIBUTES_AT))), /unknown compression/);
  refused(() => parseBatches(changed((b) => void b.writeInt32BE(-1, LAST_OFFSET_DELTA_AT))), /last offset delta/);
  refused(() => parseBatches(changed((b) => void b.writeInt32BE(-1, COUNT_AT))), /record count/);
});

test('records that lie about themselves are refused', () => {
  const read = (change: (batch: Buffer) => Buffer | void) => () => readRecords(only(changed(change)));
  refused(read((b) => void b.writeInt32BE(0x7fffffff, COUNT_AT)), /records do not fit/);
  refused(read((b) => void b.writeInt32BE(1, COUNT_AT)), /after the end/);
  refused(read((b) => void b.writeUInt8(0x7e, RECORDS_AT)), /records\[0\]\.length: needs 63 bytes/);
  refused(read((b) => void b.writeUInt8(0x01, RECORDS_AT)), /records\[0\]\.length: negative length/);
  refused(read((b) => void b.writeUInt8(0x7e, RECORDS_AT + 4)), /records\[0\]\.key: needs 63 bytes/);
  refused(read((b) => void b.writeUInt8(0x03, RECORDS_AT + 4)), /records\[0\]\.key: negative length -2/);
  refused(read((b) => void b.writeUInt8(0x7e, RECORDS_AT + 8)), /invalid number of headers 63/);
  refused(read((b) => void b.writeUInt8(0x01, RECORDS_AT + 9)), /header without a key/);
  refused(read((b) => void b.writeUInt8(0x00, RECORDS_AT + 8)), /records\[0\]\.record: 3 bytes after the end/);
});

test('random damage gives a batch or a ProtocolError', (context) => {
  const seed = testSeed();
  context.diagnostic(`SLUICE_TEST_SEED=${seed}`);
  const random = new Random(seed);
  for (let i = 0; i < 3_000; i++) {
    const damaged = changed((b) => {
      for (let n = random.below(3) + 1; n > 0; n--) {
        b[ATTRIBUTES_AT + random.below(b.length - ATTRIBUTES_AT)] = random.uint32();
      }
    });
    try {
      for (const batch of parseBatches(damaged)) readRecords(batch);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${damaged.toString('hex')}: ${String(error)}`);
    }
  }
});

test('a batch without records cannot be built', () => {
  refused(() => buildBatch({ ...example, records: [] }), /needs a record/);
});
