// The embedded engine as a program uses it, on a real directory.
import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readFileSync, readdirSync, truncateSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { LOG_ERRORS, LogError, openLog, type SluiceLog, type OpenLogOptions, type LogRecord, type ReadOptions } from '../../src/storage/index.js';

function overwrite(file: string, at: number, bytes: Buffer): void {
  const fd = openSync(file, 'r+');
  writeSync(fd, bytes, 0, bytes.length, at);
  closeSync(fd);
}

const text = (value: Buffer | null): string | null => (value === null ? null : value.toString());

async function collect(iterable: AsyncIterable<LogRecord>): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  for await (const record of iterable) all.push(record);
  return all;
}

for (const ioDriver of ['auto', 'epoll'] as const) {
  describe(`embedded log, driver ${ioDriver}`, () => {
    let dir: string;
    let open: SluiceLog[];
    const openHere = async (options: Partial<OpenLogOptions> = {}): Promise<SluiceLog> => {
      const log = await openLog({ dir, ioDriver, ...options });
      open.push(log);
      return log;
    };
    beforeEach(async () => {
      dir = await mkdtemp(join(tmpdir(), 'sluice-engine-'));
      open = [];
    });
    afterEach(async () => {
      await Promise.allSettled(open.map((log) => log.close()));
      await rm(dir, { recursive: true, force: true });
    });

    test('gives back what was appended, with keys, headers, nulls and times', async () => {
      const log = await openHere();
      const { durable } = log.append([
        { key: Buffer.from('k'), value: Buffer.from('v'), timestampMs: 1000, headers: [{ key: 'h', value: Buffer.from('x') }, { key: 'n', value: null }] },
        { key: null, value: null, timestampMs: 2000 },
        { key: Buffer.alloc(0), value: Buffer.alloc(0), timestampMs: 3000 },
      ]);
      assert.deepEqual(await durable, { baseOffset: 0n, lastOffset: 2n, logAppendTimeMs: -1 });
      const records = await collect(log.read());
      assert.deepEqual(records.map((r) => [r.offset, r.timestampMs, text(r.key), text(r.value)]), [
        [0n, 1000, 'k', 'v'],
        [1n, 2000, null, null],
        [2n, 3000, '', ''],
      ]);
      assert.deepEqual(records[0]?.headers.map((h) => [h.key, text(h.value)]), [['h', 'x'], ['n', null]]);
    });

    test('tells in the order of the appends, refusals too', async () => {
      const log = await openHere({ maxBatchBytes: 4096 });
      const told: string[] = [];
      const append = (name: string, bytes: number) => log.append([{ key: null, value: Buffer.alloc(bytes) }]).durable
        .then(() => told.push(name), () => told.push(`${name} refused`));
      const all: Promise<unknown>[] = [];
      for (let i = 0; i < 5; i += 1) all.push(append(`a${i}`, 10), append(`b${i}`, 5000));
      await Promise.all(all);
      assert.deepEqual(told, [0, 1, 2, 3, 4].flatMap((i) => [`a${i}`, `b${i} refused`]));
    });

    test('keeps everything over a clean stop and leaves no journal behind', async () => {
      const log = await openHere();
      await log.append({ key: null, value: Buffer.from('one') }).durable;
      await log.close();
      assert.ok(existsSync(join(dir, '.kafka_cleanshutdown')));
      assert.ok(!existsSync(join(dir, 'journal.sluice')));
      const again = await openHere();
      await again.append({ key: null, value: Buffer.from('two') }).durable;
      assert.deepEqual((await collect(again.read())).map((r) => text(r.value)), ['one', 'two']);
    });

    for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
      test(`reads back ${compression}`, async () => {
        const log = await openHere({ compression });
        const values = Array.from({ length: 500 }, (_, i) => `value ${i} `.repeat(20));
        await log.append(values.map((value) => ({ key: null, value: Buffer.from(value) }))).durable;
        assert.deepEqual((await collect(log.read())).map((r) => text(r.value)), values);
        assert.ok((await log.verify()).bytes < values.join('').length / 2);
      });
    }

    test('appends of one caller keep their order whatever their compression', async () => {
      const log = await openHere();
      const pending = Array.from({ length: 200 }, (_, i) =>
        log.append({ key: null, value: Buffer.from(String(i)) }, { compression: i % 3 === 0 ? 'zstd' : 'none' }).durable);
      const outcomes = await Promise.all(pending);
      assert.deepEqual(outcomes.map((o) => o.baseOffset), Array.from({ length: 200 }, (_, i) => BigInt(i)));
      assert.deepEqual((await collect(log.read())).map((r) => text(r.value)), Array.from({ length: 200 }, (_, i) => String(i)));
    });

    test('reads from an offset, a time and with a limit', async () => {
      const log = await openHere();
      for (let i = 0; i < 10; ++i) await log.append({ key: null, value: Buffer.from(String(i)), timestampMs: 1000 + i * 10 }).durable;
      assert.deepEqual((await collect(log.read({ from: 7n }))).map((r) => r.offset), [7n, 8n, 9n]);
      assert.deepEqual((await collect(log.read({ from: 3n, limit: 2 }))).map((r) => r.offset), [3n, 4n]);
      assert.deepEqual((await collect(log.read({ from: new Date(1045) }))).map((r) => r.offset), [5n, 6n, 7n, 8n, 9n]);
      assert.deepEqual(await collect(log.read({ from: 'end' })), []);
      assert.equal(await log.offsetAt(1090), 9n);
      assert.equal(await log.offsetAt(1091), undefined);
    });

    test('a live reader gets what comes later and ends with its signal', async () => {
      const log = await openHere();
      const stop = new AbortController();
      const seen: string[] = [];
      const reading = (async () => {
        for await (const record of log.read({ live: true, signal: stop.signal })) {
          seen.push(String(text(record.value)));
          if (seen.length === 3) stop.abort(new Error('enough'));
        }
      })();
      for (const value of ['a', 'b', 'c']) await log.append({ key: null, value: Buffer.from(value) }).durable;
      await assert.rejects(reading, /enough/);
      assert.deepEqual(seen, ['a', 'b', 'c']);
    });

    test('an idle live reader is woken by its signal', async () => {
      const log = await openHere();
      const stop = new AbortController();
      const reader = log.read({ live: true, signal: stop.signal });
      const next = reader.next();
      await log.ends();
      stop.abort(new Error('stop'));
      await assert.rejects(next, /stop/);
    });

    test('trim moves the start for good', async () => {
      const log = await openHere();
      for (let i = 0; i < 5; ++i) await log.append({ key: null, value: Buffer.from(String(i)) }).durable;
      assert.equal(await log.trim(3n), 3n);
      assert.deepEqual((await collect(log.read())).map((r) => r.offset), [3n, 4n]);
      await assert.rejects(collect(log.read({ from: 1n })), { code: 'ERR_SLUICE_OFFSET_OUT_OF_RANGE' });
      await assert.rejects(log.trim(9n), { code: 'ERR_SLUICE_OFFSET_OUT_OF_RANGE' });
      await log.close();
      const again = await openHere();
      assert.equal((await again.ends()).logStart, 3n);
    });

    test('mode os answers at once and flush makes it durable', async () => {
      const log = await openHere({ durability: 'os' });
      const append = log.append({ key: null, value: Buffer.from('x') });
      await append.committed;
      await log.flush();
      await append.durable;
      assert.equal((await log.stats()).journalWrites, 0);
    });

    test('what was appended in mode os is durable when the log is closed, and says so', async () => {
      const log = await openHere({ durability: 'os' });
      const { durable } = log.append({ key: null, value: Buffer.from('x') });
      const late = log.append({ key: null, value: Buffer.from('y') });
      await log.close();
      assert.equal((await durable).lastOffset, 0n);
      assert.equal((await late.durable).lastOffset, 1n);
    });

    test('flush and ends come behind appends that are still being compressed', async () => {
      const log = await openHere({ maxBatchBytes: 8 << 20 });
      const value = Buffer.from(Array.from({ length: 400_000 }, (_, i) => (i * i) >> 3));
      const appends = Array.from({ length: 40 }, () => log.append({ key: null, value }, { compression: 'zstd', compressionLevel: 12 }));
      const batches = log.flush().then(() => 'flushed');
      const ends = await log.ends();
      assert.equal(ends.end, 40n);
      assert.equal(await batches, 'flushed');
      assert.equal(await log.trim(40n), 40n);
      assert.deepEqual((await Promise.all(appends.map(({ committed }) => committed))).map(({ baseOffset }) => baseOffset), appends.map((_, i) => BigInt(i)));
    });

    test('a batch that decompresses to more than 256 MiB is read back', async () => {
      const log = await openHere({ maxBatchBytes: 400 << 20 });
      await log.append({ key: null, value: Buffer.alloc(300 << 20) }, { compression: 'zstd' }).durable;
      await log.append({ key: null, value: Buffer.from('behind') }).durable;
      const sizes: number[] = [];
      for await (const { value } of log.read()) sizes.push(value!.length);
      assert.deepEqual(sizes, [300 << 20, 6]);
    });

    test('a time that is no 64-bit number fails its own append only', async () => {
      const log = await openHere();
      const outcomes = await Promise.allSettled([1, 1e300, 2].map((timestampMs) => log.append({ key: null, value: null, timestampMs }).durable));
      assert.deepEqual(outcomes.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled']);
      await assert.rejects(log.append({ key: null, value: null }, { compression: 'zstd', compressionLevel: 2 ** 32 + 1 }).durable, { name: 'TypeError' });
    });

    test('partitions are logs of their own', async () => {
      const log = await openHere({ partitions: 3 });
      await log.append({ key: null, value: Buffer.from('p2') }, { partition: 2 }).durable;
      assert.deepEqual((await collect(log.read({ partition: 2 }))).map((r) => text(r.value)), ['p2']);
      assert.deepEqual(await collect(log.read({ partition: 0 })), []);
      assert.throws(() => log.append({ key: null, value: null }, { partition: 3 }), { code: 'ERR_SLUICE_INVALID' });
    });

    test('a second engine on the directory is refused with the holder named', async () => {
      await openHere();
      await assert.rejects(openLog({ dir, ioDriver }), (error: LogError) => error.code === 'ERR_SLUICE_LOCKED' && error.message.includes(String(process.pid)));
    });

    test('segments roll, and a reader goes over their borders', async () => {
      const log = await openHere({ segmentBytes: 1 << 20, maxBatchBytes: 1 << 18 });
      const value = Buffer.alloc(100_000, 7);
      for (let i = 0; i < 40; ++i) await log.append({ key: null, value }).durable;
      assert.equal((await collect(log.read())).length, 40);
      const segments = readdirSync(join(dir, 'log-0')).filter((name) => name.endsWith('.log'));
      assert.ok(segments.length >= 4, segments.join(' '));
    });

    test('bad batches and arguments are refused by name and change nothing', async () => {
      const log = await openHere();
      await assert.rejects(log.appendBatch(Buffer.alloc(100, 1)).durable, LogError);
      await assert.rejects(log.append({ key: null, value: Buffer.alloc(5 << 20) }).durable, { code: 'ERR_SLUICE_TOO_LARGE' });
      await assert.rejects(log.append([]).durable, TypeError);
      await assert.rejects(log.append({ key: 'text' as unknown as Buffer, value: null }).durable, TypeError);
      assert.equal((await log.ends()).end, 0n);
      for (const value of ['text', 7, new ArrayBuffer(3), new Uint16Array(3)]) {
        const { durable } = log.append({ key: null, value: value as unknown as Buffer });
        await assert.rejects(durable, (error: Error & { code?: string }) => error instanceof TypeError && error.code === 'ERR_SLUICE_INVALID');
      }
      await assert.rejects(log.append({ get key(): null { throw new RangeError('mine'); }, value: null }).durable, /mine/);
      for (const timestampMs of [NaN, Infinity, 1.5, '5', null, -2, 2 ** 53, 1e300]) {
        await assert.rejects(log.append({ key: null, value: null, timestampMs: timestampMs as number }).durable, { code: 'ERR_SLUICE_INVALID' });
      }
      for (const time of [NaN, new Date(NaN), Infinity, 'now' as unknown as number]) await assert.rejects(log.offsetAt(time), { code: 'ERR_SLUICE_INVALID' });
      await assert.rejects(log.trim(1 as unknown as bigint), { code: 'ERR_SLUICE_INVALID' });
      for (const options of [{ colour: 'red' }, { signal: 5 }, { limit: -1 }, { chunkBytes: 0 }, { from: 5 }, { from: 2n ** 63n }]) {
        await assert.rejects(collect(log.read(options as ReadOptions)), { code: 'ERR_SLUICE_INVALID' }, Object.keys(options)[0]);
      }
      for (const options of [{ dir: '' }, { dir: 'a\0b' }, { dir, name: 5 }, { dir, name: 'a/b' }, { dir, partitions: '1' }, { dir, maxPendingBytes: 1 }]) {
        await assert.rejects(openLog(options as unknown as OpenLogOptions), { code: 'ERR_SLUICE_INVALID' });
      }
      await assert.rejects(openLog({ dir, partitions: 0 }), { code: 'ERR_SLUICE_INVALID' });
      await assert.rejects(openLog({ dir, colour: 'red' } as unknown as OpenLogOptions), /knows no option 'colour'/);
    });

    test('appends are refused while too much waits, and taken again afterwards', async () => {
      const log = await openHere({ maxPendingBytes: 4 << 20 });
      const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => log.append({ key: null, value: Buffer.alloc(1 << 20) }).durable));
      assert.deepEqual(outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'ok')),
        [...Array<string>(4).fill('ok'), ...Array<string>(6).fill('ERR_SLUICE_BUSY')]);
      assert.equal((await log.append({ key: null, value: null }).durable).baseOffset, 4n);
      const [ready] = readdirSync(join(dir, 'log-0')).filter((name) => name.endsWith('.log'));
      const batch = readFileSync(join(dir, 'log-0', String(ready))).subarray(0, (1 << 20) + 100);
      const batches = await Promise.allSettled(Array.from({ length: 6 }, () => log.appendBatch(batch).durable));
      assert.deepEqual(batches.map(({ status }) => status), [...Array<string>(4).fill('fulfilled'), ...Array<string>(2).fill('rejected')]);
    });

    for (const [what, hurt] of [
      ['a byte is another', (file: string) => overwrite(file, 5000, Buffer.from([1, 2, 3]))],
      ['bytes are nothing', (file: string) => overwrite(file, 300_000, Buffer.alloc(100_000))],
      ['the file ends too early', (file: string) => truncateSync(file, 350_000)],
    ] as const) {
      test(`damage is found, with file and position: ${what}`, async () => {
        const log = await openHere();
        for (let i = 0; i < 8; ++i) await log.append({ key: null, value: Buffer.alloc(100_000, i + 1) }).durable;
        const file = join(dir, 'log-0', '00000000000000000000.log');
        hurt(file);
        const named = (error: LogError): boolean => error.code === 'ERR_SLUICE_CORRUPT' && error.message.includes(`${file} at position `);
        await assert.rejects(log.verify(), named);
        await assert.rejects(collect(log.read()), named);
      });
    }

    test('close waits for every append, compressed or not', async () => {
      const log = await openHere();
      const appends = Array.from({ length: 60 }, (_, i) =>
        log.append({ key: null, value: Buffer.alloc(50_000, i) }, { compression: i % 3 === 0 ? 'gzip' : 'none' }).durable);
      await log.close();
      assert.deepEqual((await Promise.all(appends)).map(({ baseOffset }) => baseOffset), Array.from({ length: 60 }, (_, i) => BigInt(i)));
    });

    test('a reader that waits for records learns of the close', async () => {
      const log = await openHere();
      const next = log.read({ live: true }).next();
      // It waits in the engine once what is asked behind it has been answered.
      await log.ends();
      await log.ends();
      const rejected = assert.rejects(next, { code: 'ERR_SLUICE_CLOSED' });
      await log.close();
      await rejected;
    });

    test('after close everything is refused with one code', async () => {
      const log = await openHere();
      await log.close();
      await log.close();
      await assert.rejects(log.append({ key: null, value: null }).durable, { code: 'ERR_SLUICE_CLOSED' });
      await assert.rejects(log.ends(), { code: 'ERR_SLUICE_CLOSED' });
    });
  });
}

test('every error code has a meaning, and no engine name has two', () => {
  const names = Object.values(LOG_ERRORS).flatMap((row) => [...row.engine]);
  assert.equal(new Set(names).size, names.length);
  for (const row of Object.values(LOG_ERRORS)) assert.ok(row.meaning.length > 10);
});
