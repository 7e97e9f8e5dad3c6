import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorName } from '../../src/protocol/errors.js';
import { deleteTopicsApi } from '../../src/protocol/messages/20-delete-topics.js';
import { metadataApi } from '../../src/protocol/messages/03-metadata.js';
import { ZERO_UUID } from '../../src/protocol/uuid.js';
import { makeTopic, topicName } from './support/names.js';
import { type Target, startTarget } from './support/target.js';

let target: Target;
before(async () => {
  target = await startTarget();
});
after(() => target.stop());

interface Named { readonly name?: string | null; readonly topicId?: string }

async function remove(topics: Named[]) {
  const { responses } = await target.ask(deleteTopicsApi, 6, {
    topics: topics.map(({ name = null, topicId = ZERO_UUID }) => ({ name, topicId })), timeoutMs: 10_000,
  });
  return responses.map(({ name, topicId, errorCode, errorMessage }) => ({ name, topicId, error: errorName(errorCode), errorMessage }));
}

test('by name, in every version; the topic is gone when the answer comes', async () => {
  for (let version = 1; version <= 6; version += 1) {
    const { name } = await makeTopic(target);
    const request = version >= 6 ? { topics: [{ name }] } : { topicNames: [name] };
    const { responses } = await target.ask(deleteTopicsApi, version, { ...request, timeoutMs: 10_000 });
    assert.deepEqual(responses.map(({ name: told, errorCode }) => [told, errorCode]), [[name, 0]]);
    if (target.kind === 'kafka') continue;
    const { topics } = await target.ask(metadataApi, 9, { topics: [{ name }], allowAutoTopicCreation: false });
    assert.equal(errorName(topics[0]!.errorCode), 'UNKNOWN_TOPIC_OR_PARTITION');
  }
});

test('by id', async () => {
  const { name, id } = await makeTopic(target);
  assert.deepEqual(await remove([{ topicId: id }]), [{ name, topicId: id, error: 'NONE', errorMessage: null }]);
});

test('what is not there', async () => {
  const name = topicName('missing');
  const id = 'Zlgz4xdyR9qfv0L6XgrA9Q';
  const responses = await remove([{ name }, { topicId: id }]);
  assert.deepEqual(responses.map(({ error, name: told, topicId }) => ({ error, told, topicId })).sort((a, b) => (a.error < b.error ? -1 : 1)), [
    { error: 'UNKNOWN_TOPIC_ID', told: null, topicId: id },
    { error: 'UNKNOWN_TOPIC_OR_PARTITION', told: name, topicId: ZERO_UUID },
  ]);
});

test('requests that contradict themselves', async () => {
  const { name, id } = await makeTopic(target);
  const [both] = await remove([{ name, topicId: id }]);
  assert.equal(`${both!.error}: ${both!.errorMessage}`, 'INVALID_REQUEST: You may not specify both topic name and topic id.');
  const [neither] = await remove([{}]);
  assert.equal(`${neither!.error}: ${neither!.errorMessage}`, 'INVALID_REQUEST: Neither topic name nor id were specified.');
  const [names] = await remove([{ name }, { name }]);
  assert.equal(`${names!.error}: ${names!.errorMessage}`, 'INVALID_REQUEST: Duplicate topic name.');
  const [ids] = await remove([{ topicId: id }, { topicId: id }]);
  assert.equal(`${ids!.error}: ${ids!.errorMessage}`, 'INVALID_REQUEST: Duplicate topic id.');
  const [same] = await remove([{ name }, { topicId: id }]);
  assert.equal(`${same!.error}: ${same!.errorMessage}`, 'INVALID_REQUEST: The provided topic name maps to an ID that was already supplied.');
  const { topics } = await target.ask(metadataApi, 12, { topics: [{ name: null, topicId: id }] });
  assert.equal(topics[0]!.errorCode, 0, 'nothing of this deleted it');
});

test('a topic made again under the name has another id', async () => {
  const first = await makeTopic(target);
  await remove([{ name: first.name }]);
  if (target.kind === 'kafka') return;
  const { topics } = await target.ask(metadataApi, 12, { topics: [{ name: first.name }] });
  assert.equal(topics[0]!.errorCode, 0);
  assert.notEqual(topics[0]!.topicId, first.id);
  const old = await target.ask(metadataApi, 12, { topics: [{ name: null, topicId: first.id }] });
  assert.equal(errorName(old.topics[0]!.errorCode), 'UNKNOWN_TOPIC_ID');
});

test('deletion can be switched off', async (context) => {
  if (target.kind === 'kafka') return context.skip('needs another broker');
  const strict = await startTarget({ 'delete.topic.enable': 'false' });
  try {
    const { name } = await makeTopic(strict);
    const old = await strict.ask(deleteTopicsApi, 2, { topicNames: [name] });
    assert.equal(errorName(old.responses[0]!.errorCode), 'INVALID_REQUEST');
    const { responses } = await strict.ask(deleteTopicsApi, 6, { topics: [{ name }] });
    assert.equal(errorName(responses[0]!.errorCode), 'TOPIC_DELETION_DISABLED');
  } finally {
    await strict.stop();
  }
});
