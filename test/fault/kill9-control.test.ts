// kill -9 while topics are created and offsets are committed: whatever was acknowledged is there when the broker is up again.
// SLUICE_ROUNDS sets the number of crashes, SLUICE_SEED the moments.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startBroker } from '../support/broker.js';
import { roundsWanted, seededRandom } from '../support/crash-check.js';
import { commitOffsetRaw, createTopicRaw, fetchOffsetRaw, findCoordinatorRaw, listTopicsRaw } from '../support/raw-client.js';
import { RawConnection } from '../support/wire.js';

const TEST_TIMEOUT_MS = 600_000;
const groups = ['group-a', 'group-b', 'group-c'];

test('kill -9 keeps acknowledged topics and group offsets', { timeout: TEST_TIMEOUT_MS }, async (context) => {
  const random = seededRandom('kill9-control');
  const broker = await startBroker();
  context.after(() => broker.dispose());
  await createTopicRaw(broker.port, 'committed', 1);
  for (const group of groups) await findCoordinatorRaw(broker.port, group);
  const topics = new Map<string, number>([['committed', 1]]);
  const committed = new Map<string, number>();
  let events = 0;
  let isOver = false;

  /** Repeats an action until the end; a failure means that the broker is down or coming up, and what failed promises nothing. */
  const repeat = async (action: (connection: RawConnection) => Promise<void>) => {
    while (!isOver) {
      try {
        const connection = await RawConnection.open(broker.port);
        try {
          while (!isOver) {
            await action(connection);
            events += 1;
          }
        } finally {
          connection.destroy();
        }
      } catch {
        await delay(5);
      }
    }
  };
  let next = 0;
  const creating = repeat(async () => {
    const name = `topic-${(next += 1)}`;
    const partitions = 1 + (next % 3);
    await createTopicRaw(broker.port, name, partitions);
    topics.set(name, partitions);
  });
  let offset = 0;
  const committing = repeat(async (connection) => {
    offset += 1;
    const group = groups[offset % groups.length] ?? '';
    await commitOffsetRaw(connection, group, 'committed', 0, offset);
    committed.set(group, offset);
  });

  const check = async () => {
    // Both are taken before the broker is asked: what comes later may or may not be seen.
    const topicsBefore = new Map(topics);
    const committedBefore = new Map(committed);
    const listed = await listTopicsRaw(broker.port);
    for (const [name, partitions] of topicsBefore) assert.equal(listed.get(name), partitions, `topic ${name}`);
    const connection = await RawConnection.open(broker.port);
    for (const [group, least] of committedBefore) {
      const found = await loaded(() => fetchOffsetRaw(connection, group, 'committed', 0));
      assert.ok(found >= least, `${group} committed ${least}, but ${found} was found`);
    }
    connection.destroy();
  };
  try {
    for (let round = 0; round < roundsWanted(); round += 1) {
      const until = events + 20 + Math.floor(random() * 200);
      while (events < until) await delay(1);
      await broker.kill9();
      await broker.start();
      await check();
    }
  } finally {
    isOver = true;
    await Promise.all([creating, committing]);
  }
  await broker.stop();
  await broker.start();
  await check();
  assert.ok(committed.size === groups.length && topics.size > 2);
});

/** Asks until the group's partition is loaded. */
async function loaded(ask: () => Promise<number>): Promise<number> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (attempt > 1000 || !/error (14|15|16)$/.test(String(error))) throw error;
      await delay(10);
    }
  }
}
