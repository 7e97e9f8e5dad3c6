import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtocolError, Reader, Writer, ZERO_UUID, isUuid, uuidToBytes } from '../../../src/protocol/index.js';

function written(write: (writer: Writer) => void): string {
  const writer = new Writer(16);
  write(writer);
  return writer.finish().toString('hex');
}

function reader(hex: string): Reader {
  return new Reader(Buffer.from(hex, 'hex'));
}

function refused(body: () => unknown, kind: ProtocolError['kind']): void {
  assert.throws(body, (error) => error instanceof ProtocolError && error.kind === kind && error.path.startsWith('f'));
}

test('fixed-width numbers are big-endian two\'s complement', () => {
  assert.equal(written((w) => w.int8(-2, 'f')), 'fe');
  assert.equal(written((w) => w.int16(-2, 'f')), 'fffe');
  assert.equal(written((w) => w.uint16(0xfffe, 'f')), 'fffe');
  assert.equal(written((w) => w.int32(0x01020304, 'f')), '01020304');
  assert.equal(written((w) => w.uint32(0xfffffffe, 'f')), 'fffffffe');
  assert.equal(written((w) => w.int64(-2n, 'f')), 'fffffffffffffffe');
  assert.equal(written((w) => w.float64(1.5, 'f')), '3ff8000000000000');
  assert.equal(reader('fffe').int16('f'), -2);
  assert.equal(reader('fffe').uint16('f'), 0xfffe);
  assert.equal(reader('fffffffe').int32('f'), -2);
  assert.equal(reader('fffffffe').uint32('f'), 0xfffffffe);
  assert.equal(reader('fffffffffffffffe').int64('f'), -2n);
  assert.equal(reader('3ff8000000000000').float64('f'), 1.5);
  assert.equal(reader('02').bool('f'), true);
});

test('unsigned varints take one to five bytes', () => {
  const vectors: [number, string][] = [
    [0, '00'], [1, '01'], [0x7f, '7f'], [0x80, '8001'], [300, 'ac02'], [0x3fff, 'ff7f'], [0x4000, '808001'],
    [0x1fffff, 'ffff7f'], [0x200000, '80808001'], [0xfffffff, 'ffffff7f'], [0x10000000, '8080808001'],
    [0x7fffffff, 'ffffffff07'], [0xffffffff, 'ffffffff0f'],
  ];
  for (const [value, hex] of vectors) {
    assert.equal(written((w) => w.uvarint(value, 'f')), hex);
    assert.equal(reader(hex).uvarint('f'), value);
  }
});

test('signed varints are zigzag', () => {
  const vectors: [number, string][] = [
    [0, '00'], [-1, '01'], [1, '02'], [-2, '03'], [63, '7e'], [-64, '7f'], [64, '8001'],
    [0x7fffffff, 'feffffff0f'], [-0x80000000, 'ffffffff0f'],
  ];
  for (const [value, hex] of vectors) {
    assert.equal(written((w) => w.varint(value, 'f')), hex);
    assert.equal(reader(hex).varint('f'), value);
    assert.equal(written((w) => w.varlong(BigInt(value), 'f')), hex);
    assert.equal(reader(hex).varlong('f'), BigInt(value));
  }
  const wide: [bigint, string][] = [[2n ** 63n - 1n, 'feffffffffffffffff01'], [-(2n ** 63n), 'ffffffffffffffffff01']];
  for (const [value, hex] of wide) {
    assert.equal(written((w) => w.varlong(value, 'f')), hex);
    assert.equal(reader(hex).varlong('f'), value);
  }
});

test('varints that are too wide or never end are refused', () => {
  refused(() => reader('ffffffff1f').uvarint('f'), 'malformed');
  refused(() => reader('ffffffffff01').uvarint('f'), 'malformed');
  refused(() => reader('ffffffffffffffffff02').varlong('f'), 'malformed');
  refused(() => reader('ffffffffffffffffffff01').varlong('f'), 'malformed');
  refused(() => reader('8080').uvarint('f'), 'truncated');
  refused(() => reader('').varlong('f'), 'truncated');
});

test('strings and bytes have their four forms of length', () => {
  assert.equal(written((w) => w.string('hé', 'f')), '000368c3a9');
  assert.equal(written((w) => w.compactString('hé', 'f')), '0468c3a9');
  assert.equal(written((w) => w.nullableString(null, 'f')), 'ffff');
  assert.equal(written((w) => w.compactNullableString(null, 'f')), '00');
  assert.equal(written((w) => w.bytes(Buffer.from([7]), 'f')), '0000000107');
  assert.equal(written((w) => w.compactBytes(Buffer.from([7]), 'f')), '0207');
  assert.equal(written((w) => w.nullableBytes(null, 'f')), 'ffffffff');
  assert.equal(written((w) => w.compactNullableBytes(null, 'f')), '00');
  assert.equal(reader('000368c3a9').string('f'), 'hé');
  assert.equal(reader('0468c3a9').compactString('f'), 'hé');
  assert.equal(reader('ffff').nullableString('f'), null);
  assert.equal(reader('00').compactNullableString('f'), null);
  assert.deepEqual(reader('0000000107').bytes('f'), Buffer.from([7]));
  assert.deepEqual(reader('0207').compactBytes('f'), Buffer.from([7]));
  assert.equal(reader('ffffffff').nullableBytes('f'), null);
  assert.equal(reader('ffffffff').nullableRecords('f'), null);
  assert.equal(reader('00').compactNullableRecords('f'), null);
});

test('null where none may be is refused', () => {
  refused(() => reader('ffff').string('f'), 'malformed');
  refused(() => reader('00').compactString('f'), 'malformed');
  refused(() => reader('ffffffff').bytes('f'), 'malformed');
  refused(() => reader('00').compactBytes('f'), 'malformed');
  refused(() => reader('ffffffff').records('f'), 'malformed');
  refused(() => reader('00').compactRecords('f'), 'malformed');
});

test('lengths that lie are refused before anything is read', () => {
  refused(() => reader('7fff61').string('f'), 'truncated');
  refused(() => reader('8000').nullableString('f'), 'malformed');
  refused(() => reader('ffffffff0761').compactString('f'), 'malformed');
  refused(() => reader('7fffffff61').bytes('f'), 'truncated');
  refused(() => reader('fffffffe61').nullableBytes('f'), 'malformed');
  refused(() => reader('ffffffff0761').compactBytes('f'), 'truncated');
  refused(() => reader('7fffffff61').records('f'), 'truncated');
  refused(() => reader('7fffffff0000').arrayLength(1, 'f'), 'truncated');
  refused(() => reader('000000020000').arrayLength(2, 'f'), 'truncated');
  refused(() => reader('000000020000').arrayLength(0, 'f') + reader('000000030000').arrayLength(0, 'f'), 'truncated');
  refused(() => reader('fffffffe').arrayLength(1, 'f'), 'malformed');
  refused(() => reader('ffffffff0f0000').compactArrayLength(1, 'f'), 'truncated');
  refused(() => reader('020000').tagCount('f'), 'truncated');
  refused(() => reader('0400').enter('f'), 'truncated');
  refused(() => reader('00').view(-1, 'f'), 'malformed');
});

test('bytes are copied, records are views', () => {
  const input = Buffer.from('00000001070000000108', 'hex');
  const both = new Reader(input);
  const copied = both.bytes('f');
  const viewed = both.records('f');
  input.fill(0);
  assert.equal(copied[0], 7);
  assert.equal(viewed[0], 0);
});

test('a reader stays within its bounds', () => {
  const inner = new Reader(Buffer.from([1, 2, 3, 4]), { start: 1, end: 3 });
  assert.equal(inner.remaining, 2);
  assert.equal(inner.peekInt16(0, 'f'), 0x0203);
  assert.equal(inner.int8('f'), 2);
  refused(() => inner.int16('f'), 'truncated');
  assert.throws(() => new Reader(Buffer.alloc(2), { end: 3 }), RangeError);
});

test('uuids are Kafka\'s text', () => {
  assert.equal(reader('00'.repeat(16)).uuid('f'), ZERO_UUID);
  assert.equal(written((w) => w.uuid('AAAAAAAAAAAAAAAAAAAAAQ', 'f')), `${'00'.repeat(15)}01`);
  const notOnes = ['', 'AAAA', 'AAAAAAAAAAAAAAAAAAAAAB', 'AAAAAAAAAAAAAAAAAAAA+A', `${ZERO_UUID}A`, `${ZERO_UUID}==`];
  for (const bad of notOnes) {
    refused(() => written((w) => w.uuid(bad, 'f')), 'invalid-value');
    assert.throws(() => uuidToBytes(bad), ProtocolError);
    assert.equal(isUuid(bad), false, bad);
  }
  assert.equal(isUuid('AAAAAAAAAAAAAAAAAAAAAQ'), true);
});

test('values that do not fit are refused', () => {
  const wrong = (value: unknown) => value as never;
  for (const value of [128, -129, 0.5, NaN, Infinity, '1', null, undefined, 1n, {}]) {
    refused(() => written((w) => w.int8(wrong(value), 'f')), 'invalid-value');
  }
  refused(() => written((w) => w.int16(0x8000, 'f')), 'invalid-value');
  refused(() => written((w) => w.uint16(-1, 'f')), 'invalid-value');
  refused(() => written((w) => w.int32(0x80000000, 'f')), 'invalid-value');
  refused(() => written((w) => w.uint32(-1, 'f')), 'invalid-value');
  refused(() => written((w) => w.int64(2n ** 63n, 'f')), 'invalid-value');
  refused(() => written((w) => w.int64(wrong(1), 'f')), 'invalid-value');
  refused(() => written((w) => w.bool(wrong(1), 'f')), 'invalid-value');
  refused(() => written((w) => w.string(wrong(null), 'f')), 'invalid-value');
  refused(() => written((w) => w.string('x'.repeat(0x8000), 'f')), 'invalid-value');
  refused(() => written((w) => w.compactString('é'.repeat(0x4000), 'f')), 'invalid-value');
  refused(() => written((w) => w.bytes(wrong('x'), 'f')), 'invalid-value');
});

test('a sized section may grow beyond one byte of size', () => {
  for (const size of [0, 127, 128, 16_383, 16_384]) {
    const hex = written((w) => {
      w.int8(9, 'f');
      const start = w.open();
      w.raw(Buffer.alloc(size, 5), 'f');
      w.close(start, 'f');
      w.int8(9, 'f');
    });
    const back = reader(hex);
    back.int8('f');
    const outer = back.enter('f');
    assert.deepEqual(back.rest(), Buffer.alloc(size, 5));
    back.leave(outer, 'f');
    assert.equal(back.int8('f'), 9);
    back.expectEnd('f');
  }
});
