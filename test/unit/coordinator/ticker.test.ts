// How time passes for a coordinator, with Node's timers in the test's hands.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type GroupCoordinator } from '../../../src/coordinator/coordinator.js';
import { Ticker } from '../../../src/coordinator/ticker.js';
import { defaultConfig } from './support/world.js';

interface World {
  readonly oldestWaitingMs?: () => number | null;
  readonly caughtUp?: () => Promise<void>;
}

function setUp(context: TestContext, deadlines: readonly number[] = [], { oldestWaitingMs, caughtUp }: World = {}) {
  context.mock.timers.enable({ apis: ['setTimeout', 'setImmediate'] });
  const advances: number[] = [];
  let expiries = 0;
  let nowMs = 0;
  const left = [...deadlines];
  const coordinator = {
    advanceTo(dueMs: number) {
      advances.push(dueMs);
      while (left[0] !== undefined && left[0] <= dueMs) left.shift();
    },
    get nextDeadlineMs() {
      return left[0] ?? null;
    },
    async expireOffsets() {
      expiries += 1;
    },
  };
  const ticker = new Ticker({
    coordinator: coordinator as unknown as GroupCoordinator,
    clock: { monotonicMs: () => nowMs, wallMs: () => nowMs + 7_000_000 },
    config: defaultConfig(),
    ...(oldestWaitingMs === undefined ? {} : { oldestWaitingMs }),
    ...(caughtUp === undefined ? {} : { caughtUp }),
  });
  /** Time passes, and Node notices in time, or late. */
  const pass = async (ms: number, lateMs = 0) => {
    nowMs += ms + lateMs;
    context.mock.timers.tick(ms);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    context.mock.timers.tick(0);
  };
  return { ticker, advances, pass, get expiries() { return expiries; }, clockTo: (ms: number) => (nowMs = ms) };
}

test('it wakes at the deadline, and then at the next one', async (context) => {
  const { ticker, advances, pass } = setUp(context, [1000, 1500]);
  ticker.wakeAt(1000);
  await pass(999);
  assert.deepEqual(advances, []);
  await pass(1);
  assert.deepEqual(advances, [1000]);
  await pass(500);
  assert.deepEqual(advances, [1000, 1500]);
  ticker.stop();
});

test('an earlier deadline wakes it earlier, a later one does not keep it from waking', async (context) => {
  const { ticker, advances, pass } = setUp(context, [300]);
  ticker.wakeAt(1000);
  ticker.wakeAt(300);
  ticker.wakeAt(2000);
  await pass(300);
  assert.deepEqual(advances, [300]);
  ticker.stop();
});

test('after a hold-up timers fire up to where it began, and the rest when those who were late because of it have had as long', async (context) => {
  const { ticker, advances, pass } = setUp(context, [1000, 4000]);
  ticker.wakeAt(1000);
  await pass(1000, 5000);
  assert.deepEqual(advances, [1000], 'what was due at 4000 may have had a heartbeat meanwhile');
  await pass(4999);
  assert.deepEqual(advances, [1000]);
  await pass(1);
  assert.deepEqual(advances, [1000, 11_000]);
  ticker.stop();
});

test('nothing fires before what has come in is here', async (context) => {
  let arrive: () => void = () => {};
  const { ticker, advances, pass } = setUp(context, [1000, 1005], { caughtUp: () => new Promise((resolve) => (arrive = resolve)) });
  ticker.wakeAt(1000);
  await pass(1000);
  await pass(10);
  assert.deepEqual(advances, []);
  arrive();
  await pass(0);
  assert.deepEqual(advances, [1000], 'only what had come by the moment of asking is certain to be here');
  ticker.stop();
});

test('a thread of sockets that was held up is a hold-up too', async (context) => {
  let arrive: () => void = () => {};
  const { ticker, advances, pass } = setUp(context, [1000, 3000], { caughtUp: () => new Promise((resolve) => (arrive = resolve)) });
  ticker.wakeAt(1000);
  await pass(1000);
  await pass(7000);
  arrive();
  await pass(0);
  assert.deepEqual(advances, [1000]);
  await pass(6999);
  assert.deepEqual(advances, [1000]);
  await pass(1);
  arrive();
  await pass(0);
  assert.deepEqual(advances, [1000, 15_000]);
  ticker.stop();
});

test('without a data plane time passes all the same', async (context) => {
  const { ticker, advances, pass } = setUp(context, [1000], { caughtUp: () => Promise.reject(new Error('not listening')) });
  ticker.wakeAt(1000);
  await pass(1000);
  assert.deepEqual(advances, [1000]);
  ticker.stop();
});

test('nothing fires that is due after a request that still waits for its turn came', async (context) => {
  let waiting: number | null = 7_000_800;
  const { ticker, advances, pass } = setUp(context, [1000], { oldestWaitingMs: () => waiting });
  ticker.wakeAt(1000);
  await pass(1000);
  assert.deepEqual(advances, [800]);
  await pass(1);
  assert.deepEqual(advances, [800, 800]);
  waiting = null;
  await pass(1);
  assert.deepEqual(advances, [800, 800, 1002]);
  ticker.stop();
});

test('it looks for offsets to expire at the interval that is set', async (context) => {
  const world = setUp(context);
  await world.pass(60_000);
  assert.equal(world.expiries, 0);
  for (let minute = 1; minute < 10; minute++) await world.pass(60_000);
  assert.equal(world.expiries, 1);
  // One that goes on is not begun again, so let it end.
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  for (let minute = 0; minute < 10; minute++) await world.pass(60_000);
  assert.equal(world.expiries, 2);
  world.ticker.stop();
});

test('stopped it does nothing any more', async (context) => {
  const { ticker, advances, pass } = setUp(context, [1000]);
  ticker.wakeAt(1000);
  ticker.stop();
  ticker.wakeAt(500);
  await pass(5000);
  assert.deepEqual(advances, []);
});
