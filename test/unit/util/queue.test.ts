import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Queue } from '../../../src/util/queue.js';
import { Random, testSeed } from '../../support/random.js';

test('random pushes and shifts against a plain array', (context) => {
  const seed = testSeed();
  context.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  const queue = new Queue<number>();
  const model: number[] = [];
  for (let step = 0; step < 20_000; step += 1) {
    // Now it grows, now it is emptied.
    if (random.chance(Math.floor(step / 500) % 2 === 0 ? 0.6 : 0.3)) {
      queue.push(step);
      model.push(step);
    } else {
      assert.equal(queue.shift(), model.shift());
    }
    assert.equal(queue.size, model.length);
    assert.equal(queue.first, model[0]);
  }
});

test('a queue that is never empty keeps no place for what was taken', () => {
  const queue = new Queue<number>();
  for (let i = 0; i < 100; i += 1) queue.push(i);
  for (let i = 0; i < 10_000; i += 1) {
    queue.push(100 + i);
    assert.equal(queue.shift(), i);
    assert.ok(queue.places <= 300, `${queue.places} places for ${queue.size}`);
  }
});
