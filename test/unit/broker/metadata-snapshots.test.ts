import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { MetadataSnapshots, type SnapshotLimits, listSnapshots, writeSnapshot } from '../../../src/broker/metadata-snapshots.js';
import { applyRecords } from '../../../src/metadata/apply.js';
import { type MetadataImage, emptyImage } from '../../../src/metadata/image.js';
import { makeRecord } from '../../../src/metadata/records.js';
import { parseBatches, readRecords } from '../../../src/protocol/records/batch.js';
import { decodeControlRecord, encodeControlRecord } from '../../../src/protocol/records/control/index.js';
import { featureLevelRecord, topicRecord } from '../../../src/protocol/records/metadata/index.js';

const idOf = (n: number) => Buffer.from(String(n).padStart(16, '0')).toString('base64url');
const first = applyRecords(emptyImage, [makeRecord(featureLevelRecord, 0, { name: 'metadata.version', featureLevel: 33 }).record], 4);
const grow = (image: MetadataImage, topics: number): MetadataImage =>
  applyRecords(image, Array.from({ length: topics }, (_, i) => makeRecord(topicRecord, 0, { name: `t${image.topics.size + i}`, topicId: idOf(image.topics.size + i) }).record));

interface World {
  readonly directory: string;
  readonly snapshots: MetadataSnapshots;
  readonly trimmed: bigint[];
  readonly warnings: string[];
  now: number;
  names(): string[];
}

async function withWorld(limits: Partial<SnapshotLimits>, use: (world: World) => Promise<void>, bytesSince = 0): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-unit-'));
  const trimmed: bigint[] = [];
  const warnings: string[] = [];
  const world = { directory, trimmed, warnings, now: 1_000_000, names: () => readdirSync(directory).sort() } as World & { snapshots: MetadataSnapshots };
  world.snapshots = new MetadataSnapshots({
    directory,
    log: { info: () => {}, warn: (line: string) => warnings.push(line), error: () => {}, debug: () => {} } as never,
    limits: { bytesBetween: 1000, intervalMs: 0, retentionBytes: -1, retentionMs: -1, ...limits },
    controls: new Map(),
    now: () => world.now,
    bytesSince,
    logStart: () => Promise.resolve(trimmed.at(-1) ?? 0n),
    trim: (before) => Promise.resolve(void trimmed.push(before)),
  });
  try {
    await use(world);
    await world.snapshots.close();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test('a write that takes less than it was given makes no snapshot with a hole', async (context) => {
  await withWorld({}, async ({ directory }) => {
    const image = grow(first, 2000);
    const probe = await open(join(directory, 'probe'), 'w');
    const prototype = Object.getPrototypeOf(probe) as { write: (bytes: Buffer) => Promise<unknown> };
    await probe.close();
    const { write } = prototype;
    context.mock.method(prototype, 'write', function (this: unknown, bytes: Buffer) {
      return write.call(this, bytes.subarray(0, bytes.length >> 1));
    });
    const { path } = await writeSnapshot(directory, image, new Map(), 77n);
    const records = parseBatches(readFileSync(path)).flatMap((batch) => readRecords(batch));
    assert.equal(records.length, 2 + 1 + 2000);
  });
});

test('a directory that cannot be read is not one without snapshots', async () => {
  await withWorld({}, async ({ directory }) => {
    assert.deepEqual(await listSnapshots(join(directory, 'nowhere')), []);
    writeFileSync(join(directory, 'file'), '');
    await assert.rejects(listSnapshots(join(directory, 'file')), { code: 'ENOTDIR' });
  });
});

test('the form of a snapshot: header, what is known of the voters, records, footer, offsets without a hole', async () => {
  await withWorld({}, async ({ directory, names }) => {
    const image = grow(first, 24_000);
    const voters = encodeControlRecord('voters', 0, { version: 0, voters: [{ voterId: 1, voterDirectoryId: idOf(1) }] });
    const version = encodeControlRecord('kRaftVersion', 0, { version: 0, kRaftVersion: 1 });
    const written = await writeSnapshot(directory, image, new Map([['voters', voters], ['kRaftVersion', version]]), 77n);
    assert.deepEqual(names(), ['00000000000000024001-0000000004.checkpoint']);
    assert.deepEqual(await listSnapshots(directory), [written]);
    const batches = parseBatches(readFileSync(written.path));
    let next = 0n;
    for (const batch of batches) {
      assert.equal(batch.baseOffset, next);
      assert.equal(batch.partitionLeaderEpoch, 4);
      next = batch.lastOffset + 1n;
    }
    const controls = batches.filter(({ isControl }) => isControl).map((batch) => readRecords(batch).map(({ key, value }) => decodeControlRecord(key!, value!).kind));
    assert.deepEqual(controls, [['snapshotHeader', 'kRaftVersion', 'voters'], ['snapshotFooter']]);
    assert.equal(batches.filter(({ isControl }) => !isControl).reduce((sum, { recordCount }) => sum + recordCount, 0), 24_001);
    assert.ok(batches.length > 3);
  });
});

test('one is made when enough was written, and not before', () => withWorld({}, async ({ snapshots, names }) => {
  snapshots.appended(900);
  snapshots.offer(first);
  await snapshots.settled();
  assert.deepEqual(names(), []);
  snapshots.appended(100);
  snapshots.offer(grow(first, 1));
  await snapshots.settled();
  assert.deepEqual(names(), ['00000000000000000002-0000000004.checkpoint']);
  snapshots.offer(grow(first, 2));
  await snapshots.settled();
  assert.equal(names().length, 1);
}));

test('what was read at the start counts', () => withWorld({}, async ({ snapshots, names }) => {
  snapshots.offer(first);
  await snapshots.settled();
  assert.equal(names().length, 1);
}, 1000));

test('one is made some time after a change, however small', () => withWorld({ intervalMs: 1 }, async ({ snapshots, names }) => {
  snapshots.offer(first);
  while (names().length === 0 || names()[0]!.endsWith('.part')) await new Promise((resolve) => setImmediate(resolve));
  await snapshots.settled();
  assert.deepEqual(names(), ['00000000000000000001-0000000004.checkpoint']);
}));

test('what a newer snapshot covers goes by size, oldest first, and the newest snapshot stays', () => withWorld({ retentionBytes: 5000 }, async (world) => {
  const { directory, snapshots, trimmed, names } = world;
  writeFileSync(join(directory, '00000000000000000000.log'), Buffer.alloc(2000));
  writeFileSync(join(directory, '00000000000000000003-0000000001.checkpoint.part'), 'half');
  let image = first;
  for (const topics of [1, 1, 1]) {
    image = grow(image, topics);
    snapshots.appended(1000);
    snapshots.offer(image);
    await snapshots.settled();
  }
  assert.deepEqual(names().filter((name) => name.endsWith('.part')), []);
  assert.deepEqual(trimmed, []);
  writeFileSync(join(directory, '00000000000000000000.log'), Buffer.alloc(6000));
  image = grow(image, 1);
  snapshots.appended(1000);
  snapshots.offer(image);
  await snapshots.settled();
  assert.deepEqual(trimmed, [2n, 3n, 4n, 5n]);
  assert.deepEqual(names(), ['00000000000000000000.log', '00000000000000000005-0000000004.checkpoint']);
}));

test('and by age', () => withWorld({ retentionMs: 5000 }, async (world) => {
  const { snapshots, trimmed, names } = world;
  for (const [topics, ms] of [[1, 0], [2, 4000], [3, 2000], [4, 1000]] as const) {
    world.now += ms;
    snapshots.appended(1000);
    snapshots.offer(grow(first, topics));
    await snapshots.settled();
  }
  // The first is 7000 ms old, the second 3000.
  assert.deepEqual(trimmed, [2n, 3n]);
  assert.deepEqual(names().map((name) => name.slice(18, 20)), ['03', '04', '05']);
}));

test('a snapshot that cannot be written is told, and the next one tried', () => withWorld({}, async (world) => {
  const { directory, snapshots, warnings, names } = world;
  rmSync(directory, { recursive: true });
  snapshots.appended(1000);
  snapshots.offer(first);
  await snapshots.settled();
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /^no snapshot of the metadata at offset 0: ENOENT/);
  assert.equal(existsSync(directory), false);
  const { mkdirSync } = await import('node:fs');
  mkdirSync(directory);
  snapshots.appended(1000);
  snapshots.offer(grow(first, 1));
  await snapshots.settled();
  assert.equal(names().length, 1);
}));
