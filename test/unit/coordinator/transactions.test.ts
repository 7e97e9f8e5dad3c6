// Offsets that Kafka committed in transactions: they count when the transaction's end is in the log, and not before.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorName } from '../../../src/protocol/errors.js';
import { ZERO_UUID } from '../../../src/protocol/uuid.js';
import { offsetRecord, offsetTombstone } from '../../../src/coordinator/group-records.js';
import { GROUP, World } from './support/world.js';

class TransactionalWorld extends World {
  committed(partition: number, offset: number, producerId?: bigint): void {
    const value = { offset: BigInt(offset), leaderEpoch: -1, metadata: '', commitMs: this.now.wallMs, expireMs: null, topicId: ZERO_UUID };
    this.shard.replay({ ...offsetRecord(GROUP, 't', partition, value), timestampMs: 0, ...(producerId === undefined ? {} : { producerId }) }, this.now.wallMs);
  }

  takenBack(partition: number): void {
    this.shard.replay({ ...offsetTombstone(GROUP, 't', partition), timestampMs: 0 }, this.now.wallMs);
  }

  ended(producerId: bigint, isCommitted: boolean): void {
    this.shard.replay({ producerId, isCommitted }, this.now.wallMs);
  }

  /** What a client sees that asks for stable offsets: an error, or the offset. */
  stable(partition: number): string | number {
    const { errorCode, committedOffset } = this.fetch([`t-${partition}`], { requireStable: true }).response.topics[0]!.partitions[0]!;
    return errorCode === 0 ? Number(committedOffset) : errorName(errorCode);
  }
}

test('pending until the end of the transaction, which decides', () => {
  const world = new TransactionalWorld();
  world.committed(0, 1);
  world.committed(0, 5, 7n);
  world.committed(1, 6, 7n);
  world.committed(2, 8, 9n);
  assert.deepEqual(world.offsets(['t-0']), { 't-0': 1 });
  assert.deepEqual(world.offsets(['t-1']), { 't-1': -1 });
  assert.deepEqual(world.offsets(null), { 't-0': 1 });
  assert.deepEqual([0, 1, 2, 3].map((partition) => world.stable(partition)), ['UNSTABLE_OFFSET_COMMIT', 'UNSTABLE_OFFSET_COMMIT', 'UNSTABLE_OFFSET_COMMIT', -1]);
  world.ended(7n, true);
  world.ended(9n, false);
  assert.deepEqual(world.offsets(null), { 't-0': 5, 't-1': 6 });
  assert.deepEqual([0, 1, 2].map((partition) => world.stable(partition)), [5, 6, -1]);
  assert.equal(world.shard.counts.offsets, 2);
});

test('the next transaction of the same producer is another one', () => {
  const world = new TransactionalWorld();
  world.committed(0, 5, 7n);
  world.ended(7n, false);
  world.committed(1, 6, 7n);
  world.ended(7n, true);
  world.ended(7n, true);
  assert.deepEqual(world.offsets(null), { 't-1': 6 });
});

test('what was committed later counts, in whatever order transactions end', () => {
  const world = new TransactionalWorld();
  world.committed(0, 5, 7n);
  world.committed(0, 6);
  assert.equal(world.stable(0), 'UNSTABLE_OFFSET_COMMIT');
  world.ended(7n, true);
  assert.equal(world.stable(0), 6);
  world.committed(1, 1, 7n);
  world.committed(1, 2, 8n);
  world.committed(1, 3, 7n);
  world.ended(7n, true);
  assert.deepEqual(world.offsets(['t-1']), { 't-1': 3 });
  world.ended(8n, true);
  assert.equal(world.stable(1), 3);
});

test('what was taken back stays so', () => {
  const world = new TransactionalWorld();
  world.committed(0, 5, 7n);
  world.takenBack(0);
  assert.equal(world.stable(0), -1);
  world.ended(7n, true);
  assert.deepEqual(world.offsets(null), {});
});

test('groups and offsets are deleted with what is pending', () => {
  const world = new TransactionalWorld();
  world.committed(0, 5, 7n);
  world.committed(1, 5, 7n);
  world.deleteOffsets('t-0');
  assert.equal(world.stable(0), -1);
  assert.equal(world.stable(1), 'UNSTABLE_OFFSET_COMMIT');
  world.ended(7n, true);
  assert.deepEqual(world.offsets(null), { 't-1': 5 });
});

test('what an unfinished transaction has in store goes with its topic, by the name', () => {
  const world = new TransactionalWorld();
  world.committed(0, 5, 7n);
  world.handle({ kind: 'loaded' });
  world.handle({ kind: 'topicsDeleted', topics: [{ id: 'another', name: 't' }], isCertain: false });
  assert.equal(world.stable(0), 'UNSTABLE_OFFSET_COMMIT');
  world.handle({ kind: 'topicsDeleted', topics: [{ id: 'another', name: 't' }], isCertain: true });
  assert.equal(world.stable(0), -1);
});
