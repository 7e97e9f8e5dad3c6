// What was acknowledged is there after kill -9.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createTopicsApi, deleteTopicsApi, findCoordinatorApi, incrementalAlterConfigsApi, initProducerIdApi, metadataApi, offsetCommitApi,
  offsetFetchApi,
} from '../../src/protocol/index.js';
import { errorName } from '../../src/protocol/errors.js';
import { startBroker } from '../support/broker.js';
import { KafkaClient } from '../support/kafka-client.js';

test('topics, settings, producer ids and offsets survive kill -9', async () => {
  const broker = await startBroker({ kind: 'sluice', properties: { 'offsets.topic.num.partitions': '3' } });
  try {
    const kept = new Map<string, string>();
    const gone = new Set<string>();
    const ids = new Set<bigint>();
    for (let round = 0; round < 3; round += 1) {
      const client = await KafkaClient.connect(broker.port);
      for (let i = 0; i < 10; i += 1) {
        const name = `r${round}-${i}`;
        const { topics } = await client.ask(createTopicsApi, 7, { topics: [{ name, numPartitions: 2, replicationFactor: 1 }] });
        assert.equal(errorName(topics[0]!.errorCode), 'NONE');
        kept.set(name, topics[0]!.topicId);
      }
      const victim = `r${round}-0`;
      const deleted = await client.ask(deleteTopicsApi, 6, { topics: [{ name: victim }], timeoutMs: 10_000 });
      assert.equal(errorName(deleted.responses[0]!.errorCode), 'NONE');
      kept.delete(victim);
      gone.add(victim);
      const { responses } = await client.ask(incrementalAlterConfigsApi, 1, {
        resources: [{ resourceType: 2, resourceName: `r${round}-1`, configs: [{ name: 'retention.ms', configOperation: 0, value: '1000' }] }],
      });
      assert.equal(errorName(responses[0]!.errorCode), 'NONE');
      const { producerId } = await client.ask(initProducerIdApi, 4, { transactionalId: null });
      assert.ok(!ids.has(producerId), `producer id ${producerId} twice`);
      ids.add(producerId);
      await commit(client, BigInt(round));
      await broker.kill9();
      client.close();
      await broker.start();
      const again = await KafkaClient.connect(broker.port);
      const { topics } = await again.ask(metadataApi, 12, { topics: null });
      const found = new Map(topics.map((topic) => [topic.name, topic]));
      for (const [name, id] of kept) {
        assert.equal(found.get(name)?.topicId, id, `topic ${name}`);
        assert.deepEqual(found.get(name)?.partitions.map(({ errorCode }) => errorCode), [0, 0]);
      }
      for (const name of gone) assert.equal(found.has(name), false, `topic ${name} came back`);
      assert.equal(await fetchCommitted(again), BigInt(round));
      again.close();
    }
    assert.equal(await broker.stop(), 0);
  } finally {
    await broker.dispose();
  }
});

/** Loading takes a moment after a start. */
async function retried<T>(ask: () => Promise<{ code: number; value: T }>): Promise<T> {
  for (let i = 0; ; i += 1) {
    const { code, value } = await ask();
    if (code === 0 || i > 5000) {
      assert.equal(errorName(code), 'NONE');
      return value;
    }
  }
}

async function commit(client: KafkaClient, offset: bigint): Promise<void> {
  await client.ask(findCoordinatorApi, 3, { key: 'g', keyType: 0 });
  await retried(async () => {
    const { topics } = await client.ask(offsetCommitApi, 8, {
      groupId: 'g', generationIdOrMemberEpoch: -1,
      topics: [{ name: 'r0-1', partitions: [{ partitionIndex: 0, committedOffset: offset, committedMetadata: '' }] }],
    });
    return { code: topics[0]!.partitions[0]!.errorCode, value: undefined };
  });
}

async function fetchCommitted(client: KafkaClient): Promise<bigint> {
  return retried(async () => {
    const { errorCode, topics } = await client.ask(offsetFetchApi, 7, { groupId: 'g', topics: [{ name: 'r0-1', partitionIndexes: [0] }] });
    return { code: errorCode, value: topics[0]?.partitions[0]?.committedOffset ?? -2n };
  });
}
