// The engine beside the process: exits, workers, forgotten handles, kill -9. Each case is a process of its own.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { openLog } from '../../src/storage/index.js';

const module = pathToFileURL(join(dirname(fileURLToPath(import.meta.url)), '../../src/storage/index.js')).href;

async function withDir(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-lifetime-'));
  try {
    await run(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

interface Ended { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }

function run(dir: string, body: string, onLine?: (line: string, kill: () => void) => void, openFiles = 4096): Promise<Ended> {
  const source = `const { openLog } = await import(${JSON.stringify(module)}); const dir = ${JSON.stringify(dir)};\n${body}`;
  const command = ['-c', `ulimit -n ${openFiles} && exec "$0" "$@"`, process.execPath, '--expose-gc', '--input-type=module', '-e', source];
  const child = spawn('/bin/sh', command, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  let scanned = 0;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    for (let end = stdout.indexOf('\n', scanned); end >= 0; end = stdout.indexOf('\n', scanned)) {
      onLine?.(stdout.slice(scanned, end), () => child.kill('SIGKILL'));
      scanned = end + 1;
    }
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr })));
}

async function values(dir: string): Promise<string[]> {
  const log = await openLog({ dir });
  const all: string[] = [];
  for await (const record of log.read()) all.push(String(record.value));
  await log.close();
  return all;
}

describe('embedded log and its process', () => {
  test('an open log does not keep the process alive', () => withDir(async (dir) => {
    const ended = await run(dir, `await openLog({ dir }); console.log('open');`);
    assert.deepEqual([ended.code, ended.stdout], [0, 'open\n'], ended.stderr);
  }));

  test('what was durable is there after process.exit in the middle', () => withDir(async (dir) => {
    const ended = await run(dir, `
      const log = await openLog({ dir });
      await log.append({ key: null, value: Buffer.from('kept') }).durable;
      for (let i = 0; i < 100; ++i) log.append({ key: null, value: Buffer.from('maybe') });
      process.exit(3);`);
    assert.equal(ended.code, 3, ended.stderr);
    assert.equal((await values(dir))[0], 'kept');
  }));

  test('a verification that is overtaken by the close is refused', () => withDir(async (dir) => {
    const ended = await run(dir, `
      const log = await openLog({ dir });
      for (let i = 0; i < 64; ++i) log.append({ key: null, value: Buffer.alloc(900_000) });
      await log.flush();
      const verified = log.verify();
      await log.close();
      console.log(await verified.then(() => 'whole', (error) => error.code));`);
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /^(ERR_SLUICE_CLOSED|whole)\n$/);
  }));

  for (const ioDriver of ['auto', 'epoll']) {
    test(`where no descriptor is left an open is refused, by name, and nothing else happens (${ioDriver})`, () => withDir(async (dir) => {
      const ended = await run(dir, `
        const { closeSync, openSync } = await import('node:fs');
        await (await openLog({ dir, ioDriver: '${ioDriver}' })).close();
        const held = [];
        try {
          for (;;) held.push(openSync('/dev/null'));
        } catch {}
        const open = async () => {
          try {
            await (await openLog({ dir, ioDriver: '${ioDriver}' })).close();
            return 'opened';
          } catch (error) {
            return error.code + ' ' + error.message;
          }
        };
        for (;;) {
          const outcome = await open();
          console.log(outcome);
          if (outcome === 'opened') break;
          closeSync(held.pop());
        }`, undefined, 100);
      assert.equal(ended.code, 0, ended.stderr);
      const outcomes = ended.stdout.trimEnd().split('\n');
      assert.equal(outcomes.pop(), 'opened');
      assert.ok(outcomes.length > 5, ended.stdout);
      for (const outcome of outcomes) assert.match(outcome, /^ERR_SLUICE_IO .*(EMFILE|Too many open files)/);
    }));
  }

  test('kill -9 loses nothing that was durable, and nothing twice', () => withDir(async (dir) => {
    let acknowledged = 0;
    for (let round = 0; round < 5; ++round) {
      const from = acknowledged;
      const ended = await run(dir, `
        const log = await openLog({ dir, segmentBytes: 1 << 20, maxBatchBytes: 1 << 19 });
        let next = Number((await log.ends()).end);
        await Promise.all(Array.from({ length: 16 }, async () => {
          for (;;) { const n = next++; const { durable } = log.append({ key: null, value: Buffer.from(String(n).padEnd(n % 7 === 0 ? 20000 : 10)) }); const { baseOffset } = await durable; console.log(String(baseOffset)); }
        }));`, (line, kill) => {
        acknowledged = Math.max(acknowledged, Number(line) + 1);
        if (acknowledged >= from + 300) kill();
      });
      assert.equal(ended.signal, 'SIGKILL', ended.stderr);
      const found = await values(dir);
      assert.ok(found.length >= acknowledged, `${found.length} records, ${acknowledged} were acknowledged`);
      assert.deepEqual(found.map((value) => value.trim()), found.map((_, i) => String(i)));
      acknowledged = found.length;
    }
  }));

  test('a relative directory stays where it was when the program goes elsewhere', () => withDir(async (dir) => {
    const ended = await run(dir, `
      process.chdir(dir);
      const log = await openLog({ dir: 'here', segmentBytes: 1 << 20 });
      process.chdir('/');
      for (let i = 0; i < 25; ++i) await log.append({ key: null, value: Buffer.alloc(100_000) }).durable;
      await log.close();`);
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal((await values(join(dir, 'here'))).length, 25);
  }));

  test('a worker that ends lets its directory go', () => withDir(async (dir) => {
    const ended = await run(dir, `
      const { Worker } = await import('node:worker_threads');
      const source = ${JSON.stringify(`(async () => { const { parentPort, workerData } = await import('node:worker_threads'); const { openLog } = await import(${JSON.stringify(module)}); const log = await openLog({ dir: workerData }); await log.append({ key: null, value: Buffer.from('w') }).durable; parentPort.postMessage('written'); setInterval(() => {}, 1000); })();`)};
      for (let i = 0; i < 3; ++i) {
        const worker = new Worker(source, { eval: true, workerData: dir });
        await new Promise((resolve, reject) => { worker.once('message', resolve); worker.once('error', reject); });
        await worker.terminate();
      }
      console.log('done');`);
    assert.deepEqual([ended.code, ended.stdout], [0, 'done\n'], ended.stderr);
    assert.deepEqual(await values(dir), ['w', 'w', 'w']);
  }));

  test('a worker terminated in the middle of everything takes nothing else with it', () => withDir(async (dir) => {
    const ended = await run(dir, `
      const { Worker } = await import('node:worker_threads');
      const source = ${JSON.stringify(`(async () => { const { parentPort, workerData } = await import('node:worker_threads'); const { openLog } = await import(${JSON.stringify(module)}); const log = await openLog({ dir: workerData }); log.read({ live: true }).next(); for (let n = 0; ; ++n) { for (let i = 0; i < 50; ++i) log.append({ key: null, value: Buffer.alloc(1000) }, { compression: i % 2 ? 'zstd' : 'none' }); await log.ends(); if (n === 20) parentPort.postMessage('busy'); } })();`)};
      for (let i = 0; i < 5; ++i) {
        const worker = new Worker(source, { eval: true, workerData: dir });
        await new Promise((resolve, reject) => { worker.once('message', resolve); worker.once('error', reject); });
        await worker.terminate();
      }
      const log = await openLog({ dir });
      await log.verify();
      await log.close();
      console.log('done');`);
    assert.deepEqual([ended.code, ended.stdout], [0, 'done\n'], ended.stderr);
  }));

  test('a worker terminated in the middle of reading takes nothing else with it', () => withDir(async (dir) => {
    const ended = await run(dir, `
      const { Worker } = await import('node:worker_threads');
      const log = await openLog({ dir });
      // Small records: of one read both the bytes and the numbers are so many that they are handed over.
      for (let i = 0; i < 100; ++i) log.append(Array.from({ length: 1000 }, () => ({ key: null, value: Buffer.alloc(100) })));
      await log.flush();
      await log.close();
      const source = ${JSON.stringify(`(async () => { const { parentPort, workerData } = await import('node:worker_threads'); const { openLog } = await import(${JSON.stringify(module)}); const log = await openLog({ dir: workerData.dir }); for (let n = 0; ; ) for await (const records of log.readBatches({ from: 'start' })) { n += 1; if (n === workerData.reads) parentPort.postMessage('busy'); } })();`)};
      for (let i = 0; i < 30; ++i) {
        const worker = new Worker(source, { eval: true, workerData: { dir, reads: 3 + i } });
        await new Promise((resolve, reject) => { worker.once('message', resolve); worker.once('error', reject); });
        await worker.terminate();
      }
      console.log('done');`);
    assert.deepEqual([ended.code, ended.stdout], [0, 'done\n'], ended.stderr);
  }));

  test('an append of a log that nobody holds any more is answered', () => withDir(async (dir) => {
    const ended = await run(dir, `
      const pending = await (async () => { const log = await openLog({ dir }); return [log.append({ key: null, value: Buffer.from('a') }).durable]; })();
      for (let i = 0; i < 5; ++i) globalThis.gc();
      console.log(String((await pending[0]).baseOffset));`);
    assert.deepEqual([ended.code, ended.stdout], [0, '0\n'], ended.stderr);
  }));

  test('a forgotten handle is closed by the garbage collector', () => withDir(async (dir) => {
    const ended = await run(dir, `
      await (async () => { const log = await openLog({ dir }); await log.append({ key: null, value: Buffer.from('f') }).durable; })();
      let again;
      for (let i = 0; i < 50 && !again; ++i) {
        await new Promise((resolve) => setImmediate(resolve));
        globalThis.gc();
        again = await openLog({ dir }).catch((error) => { if (error.code !== 'ERR_SLUICE_LOCKED') throw error; });
      }
      console.log(again ? 'reopened' : 'still held');
      await again?.close();`);
    assert.deepEqual([ended.code, ended.stdout], [0, 'reopened\n'], ended.stderr);
  }));
});
