import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type EnginePort } from '../../../src/broker/engine-port.js';
import { loadMetadata } from '../../../src/broker/metadata-log.js';
import { type NewRecord, makeRecord } from '../../../src/metadata/records.js';
import { buildBatch } from '../../../src/protocol/records/batch.js';
import { encodeControlRecord } from '../../../src/protocol/records/control/index.js';
import {
  abortTransactionRecord, beginTransactionRecord, endTransactionRecord, featureLevelRecord, noOpRecord, topicRecord,
} from '../../../src/protocol/records/metadata/index.js';

const idOf = (n: number) => Buffer.alloc(16, n).toString('base64url');
const topic = (n: number) => makeRecord(topicRecord, 0, { name: `t${n}`, topicId: idOf(n) });
const level = makeRecord(featureLevelRecord, 0, { name: 'metadata.version', featureLevel: 33 });
const noOp = makeRecord(noOpRecord, 0, {});

function batch(baseOffset: bigint, ...records: NewRecord[]): Buffer {
  return buildBatch({ baseOffset, partitionLeaderEpoch: 1, timestamp: 1n, records: records.map(({ bytes }) => ({ value: bytes })) });
}

function control(baseOffset: bigint, record: { key: Buffer; value: Buffer }): Buffer {
  return buildBatch({ baseOffset, partitionLeaderEpoch: 1, timestamp: 1n, records: [record], isControl: true });
}

/** A log whose batches are read one at a time, as small reads would. */
function logOf(logStart: bigint, end: bigint, batches: [bigint, Buffer][]): EnginePort {
  return {
    ends: () => Promise.resolve({ logStart, end, highWatermark: end, lastStable: end, leaderEpoch: 1 }),
    read: (_ref: unknown, offset: bigint) => {
      const found = batches.find(([last]) => last >= offset);
      return Promise.resolve({ batches: found?.[1] ?? Buffer.alloc(0) });
    },
  } as unknown as EnginePort;
}

async function withSnapshots<T>(snapshots: Record<string, Buffer>, use: (logDir: string) => Promise<T>): Promise<T> {
  const logDir = mkdtempSync(join(tmpdir(), 'sluice-unit-'));
  try {
    mkdirSync(join(logDir, '__cluster_metadata-0'));
    for (const [name, bytes] of Object.entries(snapshots)) writeFileSync(join(logDir, '__cluster_metadata-0', name), bytes);
    return await use(logDir);
  } finally {
    rmSync(logDir, { recursive: true, force: true });
  }
}

function snapshot(...records: NewRecord[]): Buffer {
  return Buffer.concat([
    control(0n, encodeControlRecord('snapshotHeader', 0, { version: 0, lastContainedLogTimestamp: 1n })),
    batch(1n, ...records),
    control(9n, encodeControlRecord('snapshotFooter', 0, { version: 0 })),
  ]);
}

const load = (engine: EnginePort, logDir = '/nowhere') => loadMetadata(engine, logDir, 1);
const names = ({ image }: Awaited<ReturnType<typeof load>>) => [...image.topics.keys()].sort();

test('a log of several batches, control records among them', async () => {
  const leader = encodeControlRecord('leaderChange', 0, { version: 0, leaderId: 1, voters: [{ voterId: 1 }], grantingVoters: [{ voterId: 1 }] });
  const loaded = await load(logOf(0n, 5n, [[0n, control(0n, leader)], [2n, batch(1n, level, topic(1))], [4n, batch(3n, noOp, topic(2))]]));
  assert.deepEqual(names(loaded), ['t1', 't2']);
  assert.equal(loaded.image.offset, 4n);
  assert.equal(loaded.isEmpty, false);
});

test('an empty log', async () => {
  const loaded = await load(logOf(0n, 0n, []));
  assert.equal(loaded.isEmpty, true);
  assert.equal(loaded.image.offset, -1n);
});

test('what Kafka\'s format tool wrote counts where there is no log yet', () =>
  withSnapshots({ '00000000000000000000-0000000000.checkpoint': snapshot(level) }, async (logDir) => {
    const empty = await load(logOf(0n, 0n, []), logDir);
    assert.deepEqual([...empty.image.features], [['metadata.version', 33]]);
    assert.equal(empty.isEmpty, true);
    const begun = await load(logOf(0n, 1n, [[0n, batch(0n, topic(1))]]), logDir);
    assert.equal(begun.image.features.size, 0, 'the log says it all');
  }));

test('a log with nothing but the leader change of a first start that was cut short is as good as empty', async () => {
  const leader = encodeControlRecord('leaderChange', 0, { version: 0, leaderId: 1, voters: [{ voterId: 1 }], grantingVoters: [{ voterId: 1 }] });
  const log = logOf(0n, 1n, [[0n, control(0n, leader)]]);
  const bare = await load(log);
  assert.deepEqual([bare.isEmpty, bare.image.offset, bare.image.features.size], [true, 0n, 0]);
  await withSnapshots({ '00000000000000000000-0000000000.checkpoint': snapshot(level) }, async (logDir) => {
    const formatted = await load(log, logDir);
    assert.deepEqual([formatted.isEmpty, formatted.image.offset, formatted.image.features.get('metadata.version')], [true, 0n, 33]);
  });
});

test('a log whose beginning is gone, after its newest snapshot', () =>
  withSnapshots({
    '00000000000000000005-0000000001.checkpoint': snapshot(level),
    '00000000000000000010-0000000002.checkpoint': snapshot(level, topic(1), topic(2)),
    'something-else.checkpoint': Buffer.from('not one'),
  }, async (logDir) => {
    // The snapshot ends within the first batch that is left.
    const loaded = await load(logOf(8n, 12n, [[11n, batch(8n, noOp, topic(2), topic(3), topic(4))]]), logDir);
    assert.deepEqual(names(loaded), ['t1', 't2', 't3', 't4']);
    assert.equal(loaded.image.offset, 11n);
    await assert.rejects(load(logOf(11n, 12n, []), logDir), /begins at offset 11, but its newest snapshot ends at 10/);
  }));

test('logs that cannot be read say where', async () => {
  await assert.rejects(load(logOf(3n, 5n, [])), /begins at offset 3, and there is no snapshot/);
  await assert.rejects(load(logOf(0n, 5n, [[0n, batch(0n, level)], [4n, batch(2n, noOp, noOp, noOp)]])), /no record at offset 1/);
  await assert.rejects(load(logOf(0n, 5n, [[0n, batch(0n, level)]])), /cannot be read at offset 1/);
  const unknown = buildBatch({ baseOffset: 0n, partitionLeaderEpoch: 1, timestamp: 1n, records: [{ value: Buffer.from([1, 99, 0]) }] });
  await assert.rejects(load(logOf(0n, 1n, [[0n, unknown]])), /record at offset 0: type: unknown record type 99/);
  await assert.rejects(load(logOf(0n, 2n, [[1n, batch(0n, topic(1), topic(1))]])), /record at offset 1: a second topic/);
});

test('other voters are refused', async () => {
  const voters = (...ids: number[]) => control(0n, encodeControlRecord('voters', 0, {
    version: 0, voters: ids.map((voterId) => ({ voterId, voterDirectoryId: idOf(voterId) })),
  }));
  await load(logOf(0n, 1n, [[0n, voters(1)]]));
  await assert.rejects(load(logOf(0n, 1n, [[0n, voters(1, 2, 3)]])), /names the voters 2, 3/);
});

test('a transaction that never ended is not in the image, and is told', async () => {
  const begin = makeRecord(beginTransactionRecord, 0, {});
  const open = await load(logOf(0n, 3n, [[2n, batch(0n, level, begin, topic(1))]]));
  assert.deepEqual([names(open), open.isInTransaction], [[], true]);
  const ended = await load(logOf(0n, 4n, [[3n, batch(0n, level, begin, topic(1), makeRecord(endTransactionRecord, 0, {}))]]));
  assert.deepEqual([names(ended), ended.isInTransaction], [['t1'], false]);
  const aborted = await load(logOf(0n, 4n, [[3n, batch(0n, level, begin, topic(1), makeRecord(abortTransactionRecord, 0, {}))]]));
  assert.deepEqual([names(aborted), aborted.isInTransaction], [[], false]);
});
