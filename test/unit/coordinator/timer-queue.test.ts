import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Timer, TimerQueue } from '../../../src/coordinator/timer-queue.js';
import { Random, testSeed } from '../../support/random.js';

test('random settings and cancellations against a plain list', (context) => {
  const seed = testSeed();
  context.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  const queue = new TimerQueue<number>();
  const timers = Array.from({ length: 50 }, (_, index) => new Timer(index));
  const model = new Map<number, { deadlineMs: number; order: number }>();
  let now = 0;
  let order = 0;
  for (let step = 0; step < 20_000; step++) {
    const timer = random.pick(timers);
    if (random.chance(0.5)) {
      const deadlineMs = now + random.below(20);
      queue.schedule(timer, deadlineMs);
      model.set(timer.task, { deadlineMs, order: ++order });
    } else if (random.chance(0.4)) {
      queue.cancel(timer);
      model.delete(timer.task);
    } else {
      now += random.below(5);
      const due = [...model].filter(([, { deadlineMs }]) => deadlineMs <= now);
      due.sort(([, a], [, b]) => a.deadlineMs - b.deadlineMs || a.order - b.order);
      for (const [task] of due) {
        const taken = queue.takeDue(now);
        assert.equal(taken?.task, task);
        assert.equal(taken?.isSet, false);
        model.delete(task);
      }
      assert.equal(queue.takeDue(now), undefined);
    }
    assert.equal(queue.size, model.size);
    assert.equal(timer.isSet, model.has(timer.task));
    const next = model.size === 0 ? null : Math.min(...[...model.values()].map(({ deadlineMs }) => deadlineMs));
    assert.equal(queue.nextDeadlineMs, next);
  }
});

test('what is set while timers fire waits for the next time', () => {
  const queue = new TimerQueue<string>();
  const again = new Timer('again');
  queue.schedule(again, 0);
  const last = queue.lastOrder;
  assert.equal(queue.takeDue(0, last)?.task, 'again');
  queue.schedule(again, 0);
  assert.equal(queue.takeDue(0, last), undefined);
  assert.equal(queue.takeDue(0)?.task, 'again');
});
