// Topics that are created while there is no room for their files.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createTopicsApi, deleteTopicsApi, errorName, findCoordinatorApi, metadataApi, offsetFetchApi, ZERO_UUID } from '../../../src/protocol/index.js';
import { FakeBroker } from './fake-broker.js';

const AGAIN_MS = 5_000;
const FULL = { code: 'no_space', message: 'mkdir: No space left on device' };

function topic(name: string, numPartitions: number) {
  return { name, numPartitions, replicationFactor: 1, assignments: [], configs: [] };
}

/** A broker whose timers are the test's; `pass` lets the next try happen and end. */
async function setUp(context: TestContext) {
  const broker = await FakeBroker.start();
  context.mock.timers.enable({ apis: ['setTimeout'] });
  context.after(() => broker.stop());
  const pass = async () => {
    context.mock.timers.tick(AGAIN_MS);
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
  };
  const leaders = async (name: string) => {
    const { topics } = await broker.ask(metadataApi, 12, { topics: [{ name }] });
    return topics[0]!.partitions.map(({ leaderId }) => leaderId);
  };
  return { broker, engine: broker.engine, lines: broker.log.lines, pass, leaders };
}

test('partitions that found no room are offline until there is some, and tried one at a time', async (context) => {
  const { broker, engine, lines, pass, leaders } = await setUp(context);
  engine.openOutcome = ({ partition }) => (partition === 0 ? null : FULL);
  await broker.ask(createTopicsApi, 7, { topics: [topic('a', 3)] });
  assert.deepEqual(await leaders('a'), [1, -1, -1]);
  assert.deepEqual([...engine.published.values()].map(({ partitions }) => partitions.length), [1]);
  engine.calls.length = 0;
  await pass();
  assert.deepEqual(engine.calls.filter((call) => call.startsWith('open')), ['open a-1']);
  assert.deepEqual(lines.filter((line) => line.includes('offline')), [
    'error a-1 is offline: mkdir: No space left on device', 'error a-2 is offline: mkdir: No space left on device',
  ]);
  engine.openOutcome = ({ partition }) => (partition === 2 ? FULL : null);
  await pass();
  assert.deepEqual(await leaders('a'), [1, 1, -1]);
  assert.ok(lines.includes('info 1 partitions that were offline are served now, 1 still lack room'));
  engine.openOutcome = () => null;
  await pass();
  assert.deepEqual(await leaders('a'), [1, 1, 1]);
  assert.deepEqual([...engine.published.values()].map(({ partitions }) => partitions.length), [3]);
  engine.calls.length = 0;
  await pass();
  assert.deepEqual(engine.calls, []);
});

test('what turns out to be more than a lack is told of, and not tried any more', async (context) => {
  const { broker, engine, lines, pass, leaders } = await setUp(context);
  engine.openOutcome = () => FULL;
  await broker.ask(createTopicsApi, 7, { topics: [topic('a', 2)] });
  engine.openOutcome = ({ partition }) => (partition === 0 ? { code: 'io', message: 'mkdir: Input/output error' } : null);
  await pass();
  assert.deepEqual(await leaders('a'), [-1, 1]);
  assert.ok(lines.includes('error a-0 is offline: mkdir: Input/output error'));
  engine.calls.length = 0;
  await pass();
  assert.deepEqual(engine.calls, []);
});

test('a topic that is deleted meanwhile is not tried again, and one that is damaged is not tried at all', async (context) => {
  const { broker, engine, pass } = await setUp(context);
  engine.openOutcome = () => ({ code: 'no_files', message: 'open: Too many open files' });
  await broker.ask(createTopicsApi, 7, { topics: [topic('gone', 1)] });
  engine.openOutcome = () => ({ code: 'io', message: 'mkdir: Input/output error' });
  await broker.ask(createTopicsApi, 7, { topics: [topic('broken', 1)] });
  await broker.ask(deleteTopicsApi, 6, { topics: [{ name: 'gone', topicId: ZERO_UUID }], timeoutMs: 1000 });
  engine.openOutcome = () => null;
  engine.calls.length = 0;
  await pass();
  assert.deepEqual(engine.calls.filter((call) => call.startsWith('open')), []);
});

test('groups whose partition found no room are served as soon as there is some', async (context) => {
  const { broker, engine, pass } = await setUp(context);
  engine.openOutcome = () => FULL;
  const find = async () => {
    const { coordinators } = await broker.ask(findCoordinatorApi, 4, { keyType: 0, coordinatorKeys: ['g'] });
    const { errorCode } = await broker.ask(findCoordinatorApi, 3, { keyType: 0, key: 'g' });
    return [...coordinators, { errorCode }].map((found) => errorName(found.errorCode));
  };
  assert.deepEqual(await find(), ['COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_NOT_AVAILABLE']);
  const fetchOffsets = async () => {
    const { groups } = await broker.ask(offsetFetchApi, 8, { groups: [{ groupId: 'g', topics: null }], requireStable: false });
    return errorName(groups[0]!.errorCode);
  };
  assert.equal(await fetchOffsets(), 'NOT_COORDINATOR');
  engine.openOutcome = () => null;
  await pass();
  assert.deepEqual(await find(), ['NONE', 'NONE']);
  assert.equal(await fetchOffsets(), 'NONE');
});
