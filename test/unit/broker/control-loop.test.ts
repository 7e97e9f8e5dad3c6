import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ControlLoop, type ControlLoopOptions } from '../../../src/broker/control-loop.js';
import { type Outcome } from '../../../src/kafka/dispatch.js';
import { type ControlRequest } from '../../../src/native/binding.js';
import { TestLog } from './fake-broker.js';

const [METADATA, HEARTBEAT] = [3, 12];

function request(token: number, apiKey = METADATA): ControlRequest {
  return {
    token, apiKey, connection: 1, apiVersion: 0, correlationId: token, clientId: null, peer: '127.0.0.1:1', listener: 0, receivedMs: 0,
    body: Buffer.alloc(0),
  };
}

/** A loop on a clock that moves only when a request is worked on, with turns that the test starts. */
function manualLoop(more: Partial<ControlLoopOptions> = {}, costMs = 1) {
  let nowMs = 0;
  const dispatched: number[] = [];
  const answered: number[] = [];
  const closed: [number, string][] = [];
  const parked: number[] = [];
  const turns: (() => void)[] = [];
  const log = new TestLog();
  const loop = new ControlLoop({
    dispatch: ({ correlationId }) => {
      nowMs += costMs;
      dispatched.push(correlationId);
      return Promise.resolve({ kind: 'respond', response: Buffer.alloc(0) } satisfies Outcome);
    },
    respond: (token) => answered.push(token),
    close: (token, reason) => closed.push([token, reason]),
    parked: (token) => parked.push(token),
    log,
    elapsed: () => nowMs,
    schedule: (turn) => turns.push(turn),
    ...more,
  });
  return { loop, dispatched, answered, closed, parked, turns, log };
}

test('a turn is bounded in time, and what is left waits for the next one', async () => {
  const { loop, dispatched, answered, turns } = manualLoop();
  loop.take(Array.from({ length: 12 }, (_, token) => request(token)));
  assert.equal(turns.length, 1);
  turns.shift()!();
  assert.equal(dispatched.length, 5);
  turns.shift()!();
  assert.equal(dispatched.length, 10);
  turns.shift()!();
  assert.deepEqual(dispatched, Array.from({ length: 12 }, (_, token) => token));
  assert.equal(turns.length, 0);
  await loop.idle();
  assert.equal(answered.length, 12);
});

test('heartbeats go before everything that waits', () => {
  const { loop, dispatched, turns } = manualLoop();
  loop.take([...Array.from({ length: 8 }, (_, token) => request(token)), request(100, HEARTBEAT)]);
  turns.shift()!();
  loop.take([request(101, HEARTBEAT), request(8)]);
  assert.deepEqual(dispatched, [100, 0, 1, 2, 3]);
  turns.shift()!();
  assert.deepEqual(dispatched.slice(5), [101, 4, 5, 6, 7]);
  turns.shift()!();
  assert.deepEqual(dispatched.slice(10), [8]);
});

test('what completed in the callback that brought requests is gone on with before them', async () => {
  const order: string[] = [];
  const { loop } = manualLoop({
    schedule: (turn) => setImmediate(turn),
    dispatch: () => {
      order.push('request');
      return Promise.resolve({ kind: 'respond', response: Buffer.alloc(0) });
    },
  });
  let complete = (): void => {};
  const completion = new Promise<void>((resolve) => (complete = resolve));
  // As deep as a handler behind some promises: each step is one more microtask.
  const answer = (async () => {
    for (let step = 0; step < 10; step += 1) await completion;
    order.push('completion');
  })();
  setImmediate(() => {
    complete();
    loop.take([request(1)]);
  });
  await answer;
  await new Promise(setImmediate);
  await loop.idle();
  assert.deepEqual(order, ['completion', 'request']);
});

test('nothing is worked on while paused', () => {
  const { loop, dispatched, turns } = manualLoop({ isPaused: true });
  loop.take([request(1)]);
  assert.equal(turns.length, 0);
  assert.equal(loop.pending, 1);
  loop.resume();
  turns.shift()!();
  assert.deepEqual(dispatched, [1]);
});

test('once stopped, connections of new requests are closed; what is being worked on is still answered', async () => {
  let finish: (outcome: Outcome) => void = () => {};
  const { loop, answered, closed, turns } = manualLoop({ dispatch: () => new Promise((resolve) => (finish = resolve)) });
  loop.take([request(1)]);
  turns.shift()!();
  loop.stop();
  loop.take([request(2)]);
  assert.deepEqual(closed, [[2, 'the broker stops']]);
  let isIdle = false;
  const idle = loop.idle().then(() => (isIdle = true));
  await new Promise(setImmediate);
  assert.equal(isIdle, false);
  finish({ kind: 'respond', response: Buffer.alloc(0) });
  await idle;
  assert.deepEqual(answered, [1]);
});

test('what cannot be answered closes its connection, and the loop goes on', async () => {
  const { loop, closed, answered, log, turns } = manualLoop({
    dispatch: ({ correlationId }) => {
      if (correlationId === 1) return Promise.reject(new Error('a bug'));
      if (correlationId === 2) return Promise.resolve({ kind: 'close', reason: 'nonsense' });
      return Promise.resolve({ kind: 'respond', response: Buffer.alloc(0) });
    },
  });
  loop.take([request(1), request(2), request(3)]);
  turns.shift()!();
  await loop.idle();
  assert.deepEqual(closed, [[1, 'internal error'], [2, 'nonsense']]);
  assert.deepEqual(answered, [3]);
  assert.equal(log.lines.length, 1);
  assert.match(log.lines[0]!, /^error .*a bug/);
});

test('a request that waits for other members is said to be parked, one that is answered at once is not', async () => {
  const [JOIN, SYNC] = [11, 14];
  const finish = new Map<number, (outcome: Outcome) => void>();
  const { loop, parked, answered, turns } = manualLoop({
    dispatch: ({ correlationId }) => (correlationId === 4
      ? Promise.resolve({ kind: 'respond', response: Buffer.alloc(0) })
      : new Promise((resolve) => finish.set(correlationId, resolve))),
  });
  loop.take([request(1, JOIN), request(2, SYNC), request(3), request(4, JOIN), request(5, HEARTBEAT)]);
  turns.shift()!();
  await new Promise(setImmediate);
  for (const turn of turns.splice(0)) turn();
  assert.deepEqual(parked, [1, 2]);
  for (const resolve of finish.values()) resolve({ kind: 'respond', response: Buffer.alloc(0) });
  await loop.idle();
  assert.deepEqual(answered.toSorted(), [1, 2, 3, 4, 5]);
});
