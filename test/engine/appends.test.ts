// Many small appends at once, and reading in arrays.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { buildBatch } from '../../src/protocol/records/batch.js';
import { type LogRecord, type OpenLogOptions, openLog, type SluiceLog } from '../../src/storage/index.js';
import { crc32c } from '../support/record-batch.js';

const record = (text: string) => ({ key: null, value: Buffer.from(text) });
const texts = (records: readonly LogRecord[]): string[] => records.map(({ value }) => String(value));

describe('appends of one turn', () => {
  let dir: string;
  let log: SluiceLog | undefined;
  const open = async (options: Partial<OpenLogOptions> = {}): Promise<SluiceLog> => (log = await openLog({ dir, ...options }));
  const all = async (of: SluiceLog, partition = 0): Promise<LogRecord[]> => {
    const records: LogRecord[] = [];
    for await (const list of of.readBatches({ partition })) records.push(...list);
    return records;
  };
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-appends-'));
    log = undefined;
  });
  afterEach(async () => {
    await log?.close();
    await rm(dir, { recursive: true, force: true });
  });

  test('share a batch, and each learns its own offsets', async () => {
    const it = await open();
    const outcomes = await Promise.all(Array.from({ length: 300 }, (_, i) =>
      it.append(i % 2 === 0 ? record(`${i}`) : [record(`${i}a`), record(`${i}b`)]).durable));
    let next = 0n;
    for (const [i, { baseOffset, lastOffset }] of outcomes.entries()) {
      assert.equal(baseOffset, next);
      assert.equal(lastOffset, next + (i % 2 === 0 ? 0n : 1n));
      next = lastOffset + 1n;
    }
    assert.deepEqual(await it.verify().then(({ batches, records }) => ({ batches, records })), { batches: 1, records: 450 });
    assert.deepEqual(texts(await all(it)).slice(0, 5), ['0', '1a', '1b', '2', '3a']);
  });

  test('to several partitions and codecs stay in order and reach the right one', async () => {
    const it = await open({ partitions: 3 });
    const codecs = ['none', 'lz4', 'zstd'] as const;
    await Promise.all(Array.from({ length: 90 }, (_, i) => it.append(record(`${i}`), { partition: i % 3, compression: codecs[Math.floor(i / 7) % 3]! }).durable));
    for (let partition = 0; partition < 3; partition += 1) {
      assert.deepEqual(texts(await all(it, partition)), Array.from({ length: 30 }, (_, i) => `${i * 3 + partition}`));
    }
  });

  test('one that is refused takes no other with it', async () => {
    const it = await open({ maxBatchBytes: 64 << 10 });
    const outcomes = await Promise.allSettled([
      it.append(record('a')).durable,
      it.append({ key: null, value: Buffer.alloc(100_000) }).durable,
      it.append({ key: null, value: 'text' as unknown as Buffer }).durable,
      it.append({ ...record('b'), timestampMs: -5 }).durable,
      it.append(record('c'), { compression: 'zstd', compressionLevel: 99 }).durable,
      it.append(record('d')).durable,
    ]);
    assert.deepEqual(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.baseOffset : (outcome.reason.code ?? outcome.reason.name))),
      [0n, 'ERR_SLUICE_TOO_LARGE', 'ERR_SLUICE_INVALID', 'ERR_SLUICE_INVALID', 'ERR_SLUICE_INVALID', 1n]);
    assert.deepEqual(texts(await all(it)), ['a', 'd']);
  });

  test('lie before whatever is asked next: a ready batch, the ends, a close', async () => {
    const it = await open();
    const first = it.append(record('first'));
    const ready = it.appendBatch(buildBatch({ records: [{ ...record('ready'), timestamp: 1n }], baseOffset: 0n, partitionLeaderEpoch: 0, timestamp: 1n }));
    assert.deepEqual([(await first.durable).baseOffset, (await ready.durable).baseOffset], [0n, 1n]);
    const third = it.append(record('third'));
    assert.equal((await it.ends()).end, 3n);
    const fourth = it.append(record('fourth'));
    await it.close();
    assert.deepEqual([(await third.durable).baseOffset, (await fourth.durable).baseOffset], [2n, 3n]);
  });

  test('a ready batch whose header tells another greatest time than its records is found by theirs', async () => {
    const it = await open();
    const batch = buildBatch({ records: [{ ...record('ready'), timestamp: 5000n }], baseOffset: 0n, partitionLeaderEpoch: 0, timestamp: 5000n });
    batch.writeBigInt64BE(0n, 35);                            // maxTimestamp
    batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
    await it.appendBatch(batch).durable;
    assert.equal(await it.offsetAt(4000), 0n);
    assert.equal(await it.offsetAt(5001), undefined);
  });

  test('more at once than one batch may hold', async () => {
    const it = await open({ maxBatchBytes: 100_000 });
    const value = Buffer.alloc(10_000, 1);
    const outcomes = await Promise.all(Array.from({ length: 500 }, () => it.append({ key: null, value }).durable));
    assert.deepEqual(outcomes.map(({ baseOffset }) => baseOffset), Array.from({ length: 500 }, (_, i) => BigInt(i)));
    assert.equal((await all(it)).length, 500);
  });

  test('the bytes are copied at once', async () => {
    const it = await open();
    const value = Buffer.from('before');
    const { durable } = it.append({ key: value, value });
    value.fill('x');
    await durable;
    assert.deepEqual((await all(it)).map(({ key, value: read }) => [String(key), String(read)]), [['before', 'before']]);
  });

  test('mode os tells committed and durable apart', async () => {
    const it = await open({ durability: 'os' });
    const appends = Array.from({ length: 10 }, (_, i) => it.append(record(`${i}`)));
    const committed = await Promise.all(appends.map((append) => append.committed));
    assert.deepEqual(await Promise.all(appends.map((append) => append.durable)), committed);
  });
});

describe('reading', () => {
  let dir: string;
  let log: SluiceLog;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-reading-'));
    log = await openLog({ dir });
    for (let i = 0; i < 20; i += 1) await log.append(Array.from({ length: 10 }, (_, k) => record(`${i * 10 + k}`))).durable;
  });
  afterEach(async () => {
    await log.close();
    await rm(dir, { recursive: true, force: true });
  });

  test('in arrays gives the same records as one by one, from any offset and up to any limit', async () => {
    for (const [from, limit] of [[0n, Infinity], [7n, 40], [55n, 1], [199n, 5], [200n, 5], [3n, 0]] as const) {
      const single: string[] = [];
      for await (const { value } of log.read({ from, limit, chunkBytes: 700 })) single.push(String(value));
      const arrays: string[] = [];
      for await (const list of log.readBatches({ from, limit, chunkBytes: 700 })) {
        assert.ok(list.length > 0);
        arrays.push(...texts(list));
      }
      assert.deepEqual(arrays, single);
      assert.deepEqual(single, Array.from({ length: Math.min(limit, 200 - Number(from)) }, (_, i) => `${Number(from) + i}`));
    }
  });

  test('asked for several at once answers in order', async () => {
    const reader = log.read({ chunkBytes: 100 });
    const results = await Promise.all(Array.from({ length: 205 }, () => reader.next()));
    assert.deepEqual(results.map((result) => (result.done === true ? 'end' : String(result.value.value))),
      [...Array.from({ length: 200 }, (_, i) => `${i}`), 'end', 'end', 'end', 'end', 'end']);
  });

  test('left early ends, and stays ended', async () => {
    const reader = log.read();
    for await (const { value } of reader) if (String(value) === '3') break;
    assert.deepEqual(await reader.next(), { done: true, value: undefined });
    await assert.rejects(log.read().throw(new Error('mine')), /mine/);
  });

  test('with a signal ends at the next record', async () => {
    const stop = new AbortController();
    const seen: string[] = [];
    await assert.rejects((async () => {
      for await (const { value } of log.read({ signal: stop.signal })) {
        seen.push(String(value));
        if (seen.length === 5) stop.abort(new Error('enough'));
      }
    })(), /enough/);
    assert.equal(seen.length, 5);
  });

  test('headers and nulls come back, and records without headers share nothing that can be changed', async () => {
    await log.append([{ key: null, value: null, headers: [{ key: 'ключ', value: Buffer.from('v') }, { key: '', value: null }] }, record('x')]).durable;
    const list = (await log.readBatches({ from: 200n }).next()).value;
    assert.ok(list);
    assert.deepEqual(list.map(({ key, value, headers }) => [key, value && String(value), headers.map((h) => [h.key, h.value && String(h.value)])]),
      [[null, null, [['ключ', 'v'], ['', null]]], [null, 'x', []]]);
    assert.throws(() => list[1]!.headers.push({ key: 'no', value: null }), TypeError);
  });
});
