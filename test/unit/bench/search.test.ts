// The search for the greatest rate: two of three runs decide.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchRecordsAt, greatestRate } from '../../../bench/broker/workloads/b1.js';

const rates = [1, 2, 5, 10, 20, 50];

/** Runs come out as written, the last outcome again and again. */
function scripted(outcomes: Readonly<Record<number, string>>) {
  const made: number[] = [];
  return {
    made,
    run(rate: number): Promise<boolean> {
      const script = outcomes[rate] ?? '+';
      const nth = made.filter((each) => each === rate).length;
      made.push(rate);
      return Promise.resolve((script[nth] ?? script.at(-1)) === '+');
    },
  };
}

test('the greatest rate that holds is confirmed by a second run', async () => {
  const search = scripted({ 20: '-', 50: '-' });
  assert.equal(await greatestRate(rates, search), 10);
  assert.deepEqual(search.made, [1, 2, 5, 10, 20, 20, 50, 50, 10]);
});

test('one bad run out of three is forgiven, two are not', async () => {
  assert.equal(await greatestRate(rates, scripted({ 20: '-++', 50: '-' })), 20);
  assert.equal(await greatestRate(rates, scripted({ 20: '-+-', 50: '-' })), 10);
});

test('a rate that held once by luck gives way to the one below', async () => {
  assert.equal(await greatestRate(rates, scripted({ 10: '+-', 20: '-', 50: '-' })), 5);
});

test('a single slow rate does not end the climb, two in a row do', async () => {
  assert.equal(await greatestRate(rates, scripted({ 2: '-' })), 50);
  const search = scripted({ 2: '-', 5: '-' });
  assert.equal(await greatestRate(rates, search), 1);
  assert.ok(!search.made.includes(10));
});

test('none is 0', async () => {
  assert.equal(await greatestRate(rates, scripted(Object.fromEntries(rates.map((rate) => [rate, '-'])))), 0);
});

test('faster producers send larger batches, up to what a broker takes', () => {
  assert.equal(batchRecordsAt(1), 1);
  assert.equal(batchRecordsAt(20), 6);
  assert.equal(batchRecordsAt(1000), 305);
  assert.equal(batchRecordsAt(100_000), 900);
});
