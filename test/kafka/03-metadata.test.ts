import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorCode, errorName } from '../../src/protocol/errors.js';
import { metadataApi } from '../../src/protocol/messages/03-metadata.js';
import { ZERO_UUID } from '../../src/protocol/uuid.js';
import { makeTopic, topicName } from './support/names.js';
import { type Target, startTarget } from './support/target.js';

const ALL_VERSIONS = Array.from({ length: 14 }, (_, version) => version);
const NO_OPERATIONS = -2147483648;

let target: Target;
before(async () => {
  target = await startTarget();
});
after(() => target.stop());

test('a topic by name, in every version', async () => {
  const { name, id } = await makeTopic(target, 'meta', { partitions: 2 });
  for (const version of ALL_VERSIONS) {
    const answer = await target.ask(metadataApi, version, { topics: [{ name }] });
    assert.deepEqual(answer.brokers.map(({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack })), [
      { nodeId: 1, host: '127.0.0.1', port: target.port, rack: null },
    ]);
    assert.equal(answer.topics.length, 1);
    const [topic] = answer.topics;
    assert.equal(topic!.errorCode, 0);
    assert.equal(topic!.name, name);
    assert.equal(topic!.topicId, version >= 10 ? id : ZERO_UUID);
    assert.equal(topic!.isInternal, false);
    assert.deepEqual(
      [...topic!.partitions].sort((a, b) => a.partitionIndex - b.partitionIndex).map(({ unknownTags: _, ...partition }) => partition),
      [0, 1].map((partitionIndex) => ({
        errorCode: 0, partitionIndex, leaderId: 1, leaderEpoch: version >= 7 ? 0 : -1, replicaNodes: [1], isrNodes: [1], offlineReplicas: [],
      })),
    );
    if (version >= 1) assert.equal(answer.controllerId, 1);
    if (version >= 2) assert.match(answer.clusterId!, /^[A-Za-z0-9_-]{22}$/);
  }
});

test('all topics: null, and in version 0 none named', async () => {
  const { name } = await makeTopic(target);
  for (const version of ALL_VERSIONS) {
    const { topics } = await target.ask(metadataApi, version, { topics: version === 0 ? [] : null });
    assert.ok(topics.some((topic) => topic.name === name), `version ${version}`);
  }
});

test('no topics: an empty list from version 1 on', async () => {
  const { topics, brokers } = await target.ask(metadataApi, 4, { topics: [] });
  assert.deepEqual(topics, []);
  assert.equal(brokers.length, 1);
});

test('a topic that is not there, when it must not be made', async () => {
  const name = topicName('missing');
  for (const version of [4, 9, 13]) {
    const { topics } = await target.ask(metadataApi, version, { topics: [{ name }], allowAutoTopicCreation: false });
    assert.equal(errorName(topics[0]!.errorCode), 'UNKNOWN_TOPIC_OR_PARTITION');
    assert.equal(topics[0]!.topicId, ZERO_UUID);
    assert.deepEqual(topics[0]!.partitions, []);
  }
});

test('names that no topic can have', async () => {
  const names = ['no spaces', '..', 'x'.repeat(250)];
  const { topics } = await target.ask(metadataApi, 9, { topics: names.map((name) => ({ name })) });
  assert.deepEqual(topics.map(({ errorCode: code }) => errorName(code)), names.map(() => 'INVALID_TOPIC_EXCEPTION'));
});

test('a topic is made by asking for it, with the default number of partitions', async () => {
  const name = topicName('auto');
  let found = await target.ask(metadataApi, 9, { topics: [{ name }] });
  // Kafka answers before the topic is there, and clients ask again.
  for (let i = 0; target.kind === 'kafka' && found.topics[0]!.errorCode !== 0 && i < 200; i += 1) {
    found = await target.ask(metadataApi, 9, { topics: [{ name }] });
  }
  assert.equal(found.topics[0]!.errorCode, 0);
  assert.equal(found.topics[0]!.partitions.length, 1);
});

test('a name twice is answered once', async () => {
  const { name } = await makeTopic(target);
  const { topics } = await target.ask(metadataApi, 9, { topics: [{ name }, { name }] });
  assert.equal(topics.length, 1);
});

test('topics by id', async () => {
  const { name, id } = await makeTopic(target);
  const unknown = 'Zlgz4xdyR9qfv0L6XgrA9Q';
  const { topics } = await target.ask(metadataApi, 12, { topics: [{ name: null, topicId: id }, { name: null, topicId: unknown }] });
  const byId = new Map(topics.map((topic) => [topic.topicId, topic]));
  assert.equal(byId.get(id)?.name, name);
  assert.equal(byId.get(id)?.errorCode, 0);
  assert.equal(errorName(byId.get(unknown)!.errorCode), 'UNKNOWN_TOPIC_ID');
  assert.equal(byId.get(unknown)?.name, null);
});

test('ids and null names before version 12', async () => {
  const { id, name } = await makeTopic(target);
  for (const topic of [{ name: null, topicId: ZERO_UUID }, { name, topicId: id }]) {
    const { topics } = await target.ask(metadataApi, 10, { topics: [topic] });
    assert.equal(errorName(topics[0]!.errorCode), 'INVALID_REQUEST');
  }
});

test('what a client may do is told when it asks', async () => {
  const { name } = await makeTopic(target);
  const silent = await target.ask(metadataApi, 8, { topics: [{ name }] });
  assert.equal(silent.topics[0]!.topicAuthorizedOperations, NO_OPERATIONS);
  assert.equal(silent.clusterAuthorizedOperations, NO_OPERATIONS);
  const asked = await target.ask(metadataApi, 8, {
    topics: [{ name }], includeTopicAuthorizedOperations: true, includeClusterAuthorizedOperations: true,
  });
  assert.equal(asked.topics[0]!.topicAuthorizedOperations, 3576);
  assert.equal(asked.clusterAuthorizedOperations, 8096);
});

test('a topic is not made where the broker forbids it', async (context) => {
  if (target.kind === 'kafka') return context.skip('needs another broker');
  const strict = await startTarget({ 'auto.create.topics.enable': 'false' });
  try {
    const { topics } = await strict.ask(metadataApi, 9, { topics: [{ name: 'wanted' }] });
    assert.equal(topics[0]!.errorCode, errorCode('UNKNOWN_TOPIC_OR_PARTITION'));
  } finally {
    await strict.stop();
  }
});

test('many connections that ask for the same missing topic make it once', async () => {
  const name = topicName('once');
  const answers = await Promise.all(Array.from({ length: 20 }, () => target.ask(metadataApi, 12, { topics: [{ name }] })));
  const ids = new Set(answers.map(({ topics }) => topics[0]!).filter((topic) => topic.errorCode === 0).map(({ topicId }) => topicId));
  assert.ok(ids.size <= 1);
  if (target.kind !== 'kafka') assert.equal(answers.every(({ topics }) => topics[0]!.errorCode === 0), true);
});
