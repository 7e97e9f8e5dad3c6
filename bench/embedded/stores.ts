// The stores, each used as its documentation says it is fast.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openLog } from '../../src/storage/index.js';
import { importPackage } from '../packages/npm.js';
import { type Store, type StoreName, type StoreOptions } from './store.js';

const POINT_READ_BYTES = 4096;

async function openSluice({ directory, isDurable }: StoreOptions): Promise<Store> {
  const log = await openLog({ dir: directory, durability: isDurable ? 'fsync' : 'os' });
  const stored = (values: readonly Buffer[]) => log.append(values.map((value) => ({ key: null, value }))).committed;
  return {
    append: (value) => log.append({ key: null, value }).committed,
    appendBatch: stored,
    appendTogether: (values) => Promise.all(values.map((value) => log.append({ key: null, value }).committed)),
    async scan() {
      let bytes = 0;
      for await (const records of log.readBatches({ from: 'start' })) for (const { value } of records) bytes += value?.length ?? 0;
      return bytes;
    },
    async read(index) {
      for await (const record of log.read({ from: BigInt(index), limit: 1, chunkBytes: POINT_READ_BYTES })) return record.value ?? undefined;
      return undefined;
    },
    close: () => log.close(),
  };
}

interface Lmdb {
  open(options: object): {
    put(key: number, value: Buffer): Promise<boolean>;
    batch(work: () => void): Promise<unknown>;
    get(key: number): Buffer | undefined;
    getRange(): Iterable<{ value: Buffer }>;
    close(): Promise<void>;
  };
}

async function openLmdb({ directory, isDurable }: StoreOptions): Promise<Store> {
  const { open } = await importPackage<Lmdb>('lmdb');
  // With overlapping syncs a commit is answered before it is on disk.
  const db = open({ path: join(directory, 'lmdb'), encoding: 'binary', keyEncoding: 'uint32', overlappingSync: false, noSync: !isDurable, mapSize: 8e9 });
  let next = 0;
  return {
    append: (value) => db.put(next++, value),
    appendBatch: (values) => db.batch(() => {
      for (const value of values) void db.put(next++, value);
    }),
    appendTogether: (values) => Promise.all(values.map((value) => db.put(next++, value))),
    scan() {
      let bytes = 0;
      for (const { value } of db.getRange()) bytes += value.length;
      return bytes;
    },
    read: (index) => db.get(index),
    close: () => db.close(),
  };
}

interface Statement {
  run(value: Buffer): unknown;
  get(key: number): { value: Buffer } | undefined;
  iterate(): Iterable<{ value: Buffer }>;
}
interface SqliteDatabase {
  pragma(text: string): unknown;
  exec(text: string): unknown;
  prepare(text: string): Statement;
  transaction(work: (values: readonly Buffer[]) => void): (values: readonly Buffer[]) => void;
  close(): void;
}

async function openSqlite({ directory, isDurable }: StoreOptions): Promise<Store> {
  const Database = await importPackage<new (path: string) => SqliteDatabase>('better-sqlite3');
  const db = new Database(join(directory, 'log.sqlite'));
  db.pragma('journal_mode = WAL');
  db.pragma(`synchronous = ${isDurable ? 'FULL' : 'OFF'}`);
  db.exec('CREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, value BLOB NOT NULL)');
  const insert = db.prepare('INSERT INTO log (value) VALUES (?)');
  const all = db.prepare('SELECT value FROM log ORDER BY id');
  const one = db.prepare('SELECT value FROM log WHERE id = ?');
  const insertAll = db.transaction((values) => {
    for (const value of values) insert.run(value);
  });
  return {
    append: (value) => void insert.run(value),
    appendBatch: insertAll,
    appendTogether: insertAll,
    scan() {
      let bytes = 0;
      for (const { value } of all.iterate()) bytes += value.length;
      return bytes;
    },
    read: (index) => one.get(index + 1)?.value,
    close: () => db.close(),
  };
}

interface Level {
  open(): Promise<void>;
  put(key: Buffer, value: Buffer, options: object): Promise<void>;
  batch(operations: readonly object[], options: object): Promise<void>;
  get(key: Buffer): Promise<Buffer | undefined>;
  values(): { nextv(count: number): Promise<Buffer[]>; close(): Promise<void> };
  close(): Promise<void>;
}

const SCAN_CHUNK = 1000;

async function openLevel({ directory, isDurable }: StoreOptions): Promise<Store> {
  const { ClassicLevel } = await importPackage<{ ClassicLevel: new (path: string, options: object) => Level }>('classic-level');
  const db = new ClassicLevel(join(directory, 'level'), { keyEncoding: 'buffer', valueEncoding: 'buffer', compression: false });
  await db.open();
  const options = { sync: isDurable };
  let next = 0;
  const keyOf = (index: number) => {
    const key = Buffer.alloc(8);
    key.writeBigUInt64BE(BigInt(index));
    return key;
  };
  return {
    append: (value) => db.put(keyOf(next++), value, options),
    appendBatch: (values) => db.batch(values.map((value) => ({ type: 'put', key: keyOf(next++), value })), options),
    appendTogether: (values) => Promise.all(values.map((value) => db.put(keyOf(next++), value, options))),
    async scan() {
      const values = db.values();
      let bytes = 0;
      for (;;) {
        const some = await values.nextv(SCAN_CHUNK);
        if (some.length === 0) break;
        for (const value of some) bytes += value.length;
      }
      await values.close();
      return bytes;
    },
    read: (index) => db.get(keyOf(index)),
    close: () => db.close(),
  };
}

const OPENERS: Readonly<Record<StoreName, (options: StoreOptions) => Promise<Store>>> = {
  sluice: openSluice, lmdb: openLmdb, 'better-sqlite3': openSqlite, 'classic-level': openLevel,
};

export function openStore(name: StoreName, options: StoreOptions): Promise<Store> {
  mkdirSync(options.directory, { recursive: true });
  return OPENERS[name](options);
}
