// From measurements to rows: who is compared with whom, and what "better" means.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orderOf } from '../../../bench/broker/rounds.js';
import { rowsOf } from '../../../bench/report/rows.js';
import { median, show, showRatio, timesBetter } from '../../../bench/report/statistics.js';
import { renderTable } from '../../../bench/report/table.js';
import { type Measurement, type Mode, type Side } from '../../../bench/suite/measurement.js';

function measured(side: Side, mode: Mode, turn: number, figures: Record<string, number>): Measurement {
  return { workload: 'w', name: 'n', client: 'native', settings: 's', side, mode, turn, figures };
}

const measurements = [
  measured('sluice', 'fsync', 0, { mbPerS: 400, p99Ms: 2 }),
  measured('sluice', 'fsync', 1, { mbPerS: 600, p99Ms: 4 }),
  measured('sluice', 'os', 0, { mbPerS: 900, p99Ms: 1 }),
  measured('kafka', 'os', 0, { mbPerS: 200, p99Ms: 10 }),
  measured('kafka', 'os', 1, { mbPerS: 200, p99Ms: 8 }),
  measured('kafka', 'fsync', 0, { mbPerS: 100, p99Ms: 40 }),
  measured('bare', 'fsync', 0, { mbPerS: 1000, p99Ms: 1 }),
];

test('the sides take turns, A B B A', () => {
  assert.deepEqual(orderOf(['a', 'b'], false).map(({ side, turn }) => `${side}${turn}`), ['a0', 'b0', 'b1', 'a1']);
  assert.deepEqual(orderOf(['a', 'b'], true).map(({ side, turn }) => `${side}${turn}`), ['a0', 'b0']);
});

test('a median of an even number lies between the middle two', () => {
  assert.equal(median([4, 1, 3]), 3);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.ok(Number.isNaN(median([])));
});

test('neighbouring starts are compared, with their spread; for times less is better', () => {
  const of = (side: Side, mode: Mode) => measurements.filter((each) => each.side === side && each.mode === mode);
  assert.deepEqual(timesBetter(of('sluice', 'fsync'), of('kafka', 'os'), 'mbPerS'), { median: 2.5, least: 2, greatest: 3 });
  assert.deepEqual(timesBetter(of('sluice', 'fsync'), of('kafka', 'os'), 'p99Ms'), { median: 3.5, least: 2, greatest: 5 });
  assert.equal(timesBetter(of('sluice', 'fsync'), [], 'mbPerS'), undefined);
});

test('durable stands beside both ways of the peer, page cache only beside page cache', () => {
  const rows = rowsOf(measurements).filter((row) => row.figure === 'mbPerS');
  const durable = rows.find((row) => row.mode === 'fsync');
  assert.equal(durable?.sluice, 500);
  assert.equal(durable?.bare, 1000);
  assert.equal(durable?.percentOfBare, 50);
  assert.deepEqual([...(durable?.peers.keys() ?? [])], ['Kafka', 'Kafka, synced']);
  assert.equal(durable?.peers.get('Kafka, synced')?.better?.median, 4);
  const cached = rows.find((row) => row.mode === 'os');
  assert.deepEqual([...(cached?.peers.keys() ?? [])], ['Kafka']);
});

test('the limit in per cent is turned round where less is better', () => {
  const row = rowsOf(measurements).find((each) => each.figure === 'p99Ms' && each.mode === 'fsync');
  assert.equal(row?.sluice, 3);
  assert.equal(Math.round(row?.percentOfBare ?? 0), 33);
});

test('the table names a row once and leaves out what was not measured', () => {
  const table = renderTable(measurements, new Map([['w', 'A workload'], ['other', 'Not measured']]));
  const lines = table.split('\n');
  assert.equal(lines[0], '### A workload');
  assert.equal(lines[4], '| n | native | fsync | s | MB/s | 500 | 200 | 2.50x (2.00-3.00) | 100 | 4.00x | 1,000 | 50 |');
  assert.equal(lines[5], '|  |  |  |  | p99 ms | 3.00 | 9.00 | 3.50x (2.00-5.00) | 40.0 | 20.0x | 1.00 | 33 |');
  assert.ok(!table.includes('Not measured'));
});

test('figures are shown with three digits or so', () => {
  assert.deepEqual([0.00123, 0.123, 12.34, 123.4, 12345.6, NaN].map(show), ['0.0012', '0.12', '12.3', '123', '12,346', '-']);
  assert.equal(showRatio({ median: 2, least: 2, greatest: 2 }), '2.00x');
});
