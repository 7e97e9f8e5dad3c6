// A change is answered when the data plane has confirmed it, and is shown to nobody before.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metadataApi } from '../../../src/protocol/messages/03-metadata.js';
import { createTopicsApi } from '../../../src/protocol/messages/19-create-topics.js';
import { deleteTopicsApi } from '../../../src/protocol/messages/20-delete-topics.js';
import { deleteRecordsApi } from '../../../src/protocol/messages/21-delete-records.js';
import { createPartitionsApi } from '../../../src/protocol/messages/37-create-partitions.js';
import { incrementalAlterConfigsApi } from '../../../src/protocol/messages/44-incremental-alter-configs.js';
import { FakeBroker } from './fake-broker.js';
import { type FakeEngine } from './fake-engine.js';

type Step = 'publishTopics' | 'withdrawTopic' | 'setPartitionSettings' | 'setPlaneSettings' | 'deleteRecords';

/** The engine does that step when it is told to. */
function hold(engine: FakeEngine, step: Step): () => void {
  const real = (engine[step] as (...args: unknown[]) => Promise<unknown>).bind(engine);
  let release: () => void = () => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  Object.assign(engine, { [step]: (...args: unknown[]) => gate.then(() => real(...args)) });
  return release;
}

const turns = async () => {
  for (let i = 0; i < 20; i += 1) await new Promise(setImmediate);
};

const topic = { name: 'a', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
const SET = 0;
const [TOPIC, BROKER] = [2, 4];

const setConfig = (broker: FakeBroker, resourceType: number, resourceName: string, name: string, value: string) =>
  broker.ask(incrementalAlterConfigsApi, 1, {
    resources: [{ resourceType, resourceName, configs: [{ name, configOperation: SET, value }] }], validateOnly: false,
  });

const changes: readonly { what: string; step: Step; ask(broker: FakeBroker): Promise<unknown> }[] = [
  { what: 'CreateTopics', step: 'publishTopics', ask: (broker) => broker.ask(createTopicsApi, 7, { topics: [{ ...topic, name: 'b' }] }) },
  {
    what: 'CreatePartitions', step: 'publishTopics',
    ask: (broker) => broker.ask(createPartitionsApi, 3, { topics: [{ name: 'a', count: 3, assignments: null }], timeoutMs: 1000, validateOnly: false }),
  },
  { what: 'DeleteTopics', step: 'withdrawTopic', ask: (broker) => broker.ask(deleteTopicsApi, 5, { topicNames: ['a'], timeoutMs: 1000 }) },
  { what: 'the settings of a topic', step: 'setPartitionSettings', ask: (broker) => setConfig(broker, TOPIC, 'a', 'max.message.bytes', '5000') },
  {
    // Whoever moved the start there may still be waiting for the disk.
    what: 'DeleteRecords, where the log begins there already', step: 'deleteRecords',
    ask: (broker) => broker.ask(deleteRecordsApi, 2, { topics: [{ name: 'a', partitions: [{ partitionIndex: 0, offset: 0n }] }], timeoutMs: 1000 }),
  },
  { what: 'the settings of the broker', step: 'setPlaneSettings', ask: (broker) => setConfig(broker, BROKER, '', 'max.connections', '5000') },
];

for (const { what, step, ask } of changes) {
  test(`${what}: answered when the data plane has confirmed it`, async () => {
    const broker = await FakeBroker.start();
    await broker.ask(createTopicsApi, 7, { topics: [topic] });
    const shown = async () => {
      const { topics } = await broker.ask(metadataApi, 12, { topics: null });
      return topics.map(({ name, partitions }) => `${name} ${partitions.length}`).join();
    };
    const release = hold(broker.engine, step);
    let isAnswered = false;
    const answer = ask(broker).then(() => (isAnswered = true));
    await turns();
    assert.equal(isAnswered, false);
    assert.equal(await shown(), 'a 1');
    release();
    await answer;
    await broker.stop();
  });
}
