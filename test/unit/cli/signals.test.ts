import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { stopSignal } from '../../../src/cli/signals.js';

class FakeProcess extends EventEmitter {
  readonly pid = 42;
  readonly env: Record<string, string>;
  readonly killed: unknown[] = [];

  constructor(env: Record<string, string>) {
    super();
    this.env = env;
  }

  kill(pid: number, signal: string): true {
    this.killed.push([pid, signal, this.listenerCount('SIGINT')]);
    return true;
  }
}

function watch(env: Record<string, string> = {}) {
  const fake = new FakeProcess(env);
  const state = { now: 1000, warned: 0 };
  const first = stopSignal({ process: fake as unknown as NodeJS.Process, now: () => state.now, onSecondInterrupt: () => state.warned++ });
  return { fake, state, first };
}

test('the first signal stops, whichever it is', async () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
    const { fake, first } = watch();
    fake.emit(signal, signal);
    assert.equal(await first, signal);
    assert.deepEqual(fake.killed, []);
  }
});

test('a second SIGINT ends the process by the signal itself', () => {
  const { fake, state } = watch();
  fake.emit('SIGTERM', 'SIGTERM');
  fake.emit('SIGTERM', 'SIGTERM');
  assert.deepEqual([fake.killed, state.warned], [[], 0]);
  fake.emit('SIGINT', 'SIGINT');
  assert.deepEqual([fake.killed, state.warned], [[[42, 'SIGINT', 0]], 1]);
});

test('under npm one key sends two', () => {
  const { fake, state } = watch({ npm_lifecycle_event: 'start' });
  fake.emit('SIGINT', 'SIGINT');
  state.now += 20;
  fake.emit('SIGINT', 'SIGINT');
  assert.deepEqual(fake.killed, []);
  state.now += 1000;
  fake.emit('SIGINT', 'SIGINT');
  assert.equal(fake.killed.length, 1);
});
