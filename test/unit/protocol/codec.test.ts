// The rules of the codec on small tables, with bytes worked out by hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type RequestInput, type RequestOf, Reader, ProtocolError, ZERO_UUID, createTopicsApi, defineMessage, fetchApi,
  metadataApi,
} from '../../../src/protocol/index.js';

const sample = defineMessage({
  name: 'Sample',
  versions: '0-3',
  flexible: '2+',
  fields: {
    id: { type: 'int32', versions: '0+', default: -1 },
    strict: { type: 'int64', versions: '1+', default: -1n },
    loose: { type: 'string', versions: '1+', nullable: '2+', ignorable: true },
    list: { type: '[]string', versions: '0+', nullable: '1+' },
    inner: { type: 'struct', versions: '1+', nullable: '3+', of: {
      flag: { type: 'bool', versions: '0+', default: true },
      late: { type: 'int8', versions: '2+' },
    } },
    note: { type: 'string', versions: '2+', nullable: '2+', tag: 3, tagged: '2+', default: null, ignorable: true },
    numbers: { type: '[]int16', versions: '3+', tag: 1, tagged: '3+', ignorable: true },
  },
});

function hex(version: number, value: Parameters<typeof sample.encode>[1]): string {
  return sample.encode(version, value).toString('hex');
}

function decode(version: number, text: string) {
  return sample.decode(Buffer.from(text, 'hex'), version);
}

function refused(body: () => unknown, kind: ProtocolError['kind'], path: string): void {
  assert.throws(body, (error) => {
    assert.ok(error instanceof ProtocolError, String(error));
    assert.deepEqual([error.kind, error.path], [kind, path], error.message);
    assert.ok(error.message.startsWith(`${path}: `));
    return true;
  });
}

test('what is left out gets its default, in both directions', () => {
  assert.equal(hex(0, {}), 'ffffffff' + '00000000');
  assert.equal(hex(1, {}), 'ffffffff' + 'ffffffffffffffff' + '0000' + '00000000' + '01');
  assert.equal(hex(2, {}), 'ffffffff' + 'ffffffffffffffff' + '01' + '01' + '010000' + '00');
  assert.equal(hex(3, {}), 'ffffffff' + 'ffffffffffffffff' + '01' + '01' + '01' + '010000' + '00');
  assert.deepEqual(decode(0, 'ffffffff00000000'), {
    id: -1, strict: -1n, loose: '', list: [], inner: { flag: true, late: 0 }, note: null, numbers: [],
  });
});

test('a field that the version lacks may only be set when it is ignorable', () => {
  assert.equal(hex(0, { loose: 'x', note: 'x', numbers: [1], strict: -1n, inner: { flag: true } }), hex(0, {}));
  refused(() => hex(0, { strict: 5n }), 'unsupported-version', 'strict');
  refused(() => hex(0, { inner: { flag: false } }), 'unsupported-version', 'inner');
  refused(() => hex(0, { inner: null }), 'unsupported-version', 'inner');
  refused(() => hex(1, { inner: { late: 1 } }), 'unsupported-version', 'inner.late');
});

test('null is taken only in the versions that know it', () => {
  refused(() => hex(1, { loose: null }), 'invalid-value', 'loose');
  refused(() => hex(0, { list: null }), 'invalid-value', 'list');
  refused(() => hex(2, { inner: null }), 'invalid-value', 'inner');
  assert.equal(decode(2, hex(2, { loose: null })).loose, null);
  assert.equal(decode(1, hex(1, { list: null })).list, null);
  assert.equal(decode(2, hex(2, { list: null })).list, null);
  assert.equal(hex(3, { inner: null }), 'ffffffff' + 'ffffffffffffffff' + '01' + '01' + 'ff' + '00');
  assert.equal(decode(3, hex(3, { inner: null })).inner, null);
  refused(() => decode(0, 'ffffffffffffffff'), 'malformed', 'list');
});

const V3_BODY = 'ffffffff' + 'ffffffffffffffff' + '01' + '01' + '01' + '010000';

test('tagged fields are written in the order of their tags, and only when set', () => {
  const value = { note: 'hi', numbers: [1, -1] };
  assert.equal(hex(3, value), `${V3_BODY}02${'01' + '05' + '03' + '0001ffff'}${'03' + '03' + '036869'}`);
  const { note, numbers } = decode(3, hex(3, value));
  assert.deepEqual({ note, numbers }, value);
  assert.equal(hex(3, { note: null, numbers: [] }), `${V3_BODY}00`);
  assert.equal(hex(3, { note: 'x'.repeat(200) }), `${V3_BODY}0103ca01c901${'78'.repeat(200)}`);
});

test('unknown tags are kept and written again in their place', () => {
  const text = `${V3_BODY}04${'00' + '01' + 'aa'}${'01' + '03' + '02' + '0007'}${'02' + '00'}${'09' + '02' + 'bbcc'}`;
  const value = decode(3, text);
  assert.deepEqual(value.numbers, [7]);
  assert.deepEqual(value.unknownTags, [
    { tag: 0, data: Buffer.from('aa', 'hex') },
    { tag: 2, data: Buffer.alloc(0) },
    { tag: 9, data: Buffer.from('bbcc', 'hex') },
  ]);
  assert.equal(hex(3, value), text);
  assert.equal('unknownTags' in decode(3, `${V3_BODY}00`), false);
  refused(() => hex(1, { unknownTags: [{ tag: 0, data: Buffer.alloc(0) }] }), 'unsupported-version', 'unknownTags');
  refused(() => hex(3, { unknownTags: [{ tag: 3, data: Buffer.alloc(0) }] }), 'invalid-value', 'unknownTags');
});

test('a tagged field must fill its size and belong to the version', () => {
  refused(() => decode(3, `${V3_BODY}01${'03' + '04' + '03686900'}`), 'malformed', 'unknownTags');
  refused(() => decode(3, `${V3_BODY}01${'03' + '02' + '0368'}`), 'truncated', 'note');
  refused(() => decode(3, `${V3_BODY}01${'03' + '05' + '0368'}`), 'truncated', 'unknownTags');
  refused(() => decode(2, `${V3_BODY.slice(0, -8)}010000${'01' + '01' + '01' + '01'}`), 'malformed', 'numbers');
});

test('errors name the path to the field', () => {
  const wrongOffset = 1 as unknown as bigint;
  const topics = [{ topic: 'a', partitions: [{ partition: 1 }, { partition: 1, fetchOffset: wrongOffset }] }];
  refused(() => fetchApi.request.encode(4, { topics }), 'invalid-value', 'topics[0].partitions[1].fetchOffset');
  const bytes = fetchApi.request.encode(4, { topics: [{ topic: 'a', partitions: [{}, {}] }] });
  bytes.writeInt16BE(-1, bytes.length - 2 * 16 - 4 - 3);
  refused(() => fetchApi.request.decode(bytes, 4), 'malformed', 'topics[0].topic');
  const brokers = [{ host: 5 as unknown as string }];
  refused(() => metadataApi.response.encode(0, { brokers }), 'invalid-value', 'brokers[0].host');
  refused(() => hex(3, { list: ['a', 5 as unknown as string] }), 'invalid-value', 'list[1]');
  refused(() => hex(3, { list: 'a' as unknown as string[] }), 'invalid-value', 'list');
  refused(() => hex(3, { inner: 5 as unknown as null }), 'invalid-value', 'inner');
});

test('reading leaves the reader behind the message, decoding insists on the end', () => {
  const reader = new Reader(Buffer.from('0000000100000000ee', 'hex'));
  assert.equal(sample.read(reader, 0).id, 1);
  assert.equal(reader.remaining, 1);
  assert.throws(() => decode(0, '0000000100000000ee'), ProtocolError);
});

test('the number of elements in one message can be bounded', () => {
  const bytes = sample.encode(3, { list: ['a', 'b'], numbers: [1, 2, 3] });
  assert.equal(sample.read(new Reader(bytes, { maxElements: 6 }), 3).numbers.length, 3);
  refused(() => sample.read(new Reader(bytes, { maxElements: 5 }), 3), 'malformed', 'numbers');
  refused(() => sample.read(new Reader(bytes, { maxElements: 1 }), 3), 'malformed', 'list');
});

test('types follow from the tables', () => {
  const request: RequestOf<typeof createTopicsApi> = createTopicsApi.request.decode(
    createTopicsApi.request.encode(7, { topics: [{ name: 't', numPartitions: 3, replicationFactor: 1 }] }), 7,
  );
  const name: string | undefined = request.topics[0]?.name;
  const value: string | null | undefined = request.topics[0]?.configs[0]?.value;
  assert.deepEqual([name, value], ['t', undefined]);
  const fetched: RequestOf<typeof fetchApi> = fetchApi.request.decode(fetchApi.request.encode(4, {}), 4);
  const offset: bigint | undefined = fetched.topics[0]?.partitions[0]?.fetchOffset;
  assert.equal(offset, undefined);
  // @ts-expect-error a name is no number
  const wrongType: RequestInput<typeof createTopicsApi> = { topics: [{ name: 5 }] };
  // @ts-expect-error there is no such field
  const wrongField: RequestInput<typeof createTopicsApi> = { topicz: [] };
  // @ts-expect-error a timeout is never null
  const wrongNull: RequestInput<typeof createTopicsApi> = { timeoutMs: null };
  assert.ok(wrongType && wrongField && wrongNull);
  const metadata = metadataApi.response.decode(metadataApi.response.encode(10, { topics: [{}] }), 10);
  const topicId: string | undefined = metadata.topics[0]?.topicId;
  assert.equal(topicId, ZERO_UUID);
});
