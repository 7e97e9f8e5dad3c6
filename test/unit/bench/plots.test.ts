// Axes, drawings and the page: what they must have in them, and that nothing of them comes from elsewhere.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeGoals } from '../../../bench/report/goals.js';
import { renderHtml } from '../../../bench/report/html.js';
import { plotsOf } from '../../../bench/report/plots.js';
import { linearAxis, logAxis, percentileAxis, stepAxis } from '../../../bench/report/scale.js';
import { lightTheme } from '../../../bench/report/theme.js';
import { type Measurement, type Mode, type Side } from '../../../bench/suite/measurement.js';

test('each further nine of a percentile gets the same room', () => {
  const axis = percentileAxis('', 99.99);
  assert.deepEqual([0, 90, 99, 99.9, 99.99].map((value) => Number(axis.place(value).toFixed(3))), [0, 0.25, 0.5, 0.75, 1]);
  assert.equal(axis.place(100), 1);
});

test('a logarithmic axis begins and ends at powers of ten that hold all values', () => {
  const axis = logAxis('', [0.3, 42]);
  assert.deepEqual(axis.ticks.map((tick) => tick.text), ['0.1', '1', '10', '100']);
  assert.equal(axis.place(0.1), 0);
  assert.equal(axis.place(100), 1);
  assert.equal(axis.place(0), 0);
});

test('a linear axis begins at 0 and reaches the greatest value; steps are at equal distances', () => {
  const axis = linearAxis('', 93);
  assert.ok((axis.ticks.at(-1)?.value ?? 0) >= 93 && axis.place(93) <= 1 && axis.place(0) === 0);
  assert.deepEqual([1, 100, 10_000].map(stepAxis('', [10_000, 1, 100]).place), [0, 0.5, 1]);
});

function measured(side: Side, mode: Mode, at: number, p99Ms: number): Measurement {
  return { workload: 'b1', name: `at ${at} MB/s`, client: 'native', side, mode, turn: 0, at, figures: { p99Ms }, percentiles: [[50, 10], [99, 1000 * p99Ms]] };
}

const measurements = [measured('sluice', 'fsync', 1, 2), measured('sluice', 'fsync', 10, 3), measured('kafka', 'os', 1, 20), measured('kafka', 'os', 10, 30)];

test('a drawing has a line and a name for each side', () => {
  const plots = plotsOf(measurements);
  assert.deepEqual(plots.map((plot) => plot.name), ['latency-by-rate']);
  const svg = plots[0]?.draw(lightTheme) ?? '';
  assert.equal(svg.match(/<path /g)?.length, 2);
  assert.match(svg, />Sluice, durable</);
  assert.match(svg, />Kafka, page cache</);
  assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
});

test('the page loads nothing and shows what it was given as text', () => {
  const run = { date: '2026-01-02T03:04:05Z', commit: 'abc', kernel: '6', cpus: ['<b>'], memoryGb: 8, node: 'v20', kafka: '4.4.0', scale: 1, command: 'npm run bench' };
  const page = renderHtml(run, measurements, new Map([['b1', 'B1 & more']]));
  assert.doesNotMatch(page, /<script|<link|src=|url\(|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
  assert.match(page, /B1 &amp; more/);
  assert.match(page, /1 x &lt;b&gt;/);
  assert.match(page, /prefers-color-scheme:dark/);
});

test('a goal is met, not met, or not measured', () => {
  const greatest = (value: number): Measurement => ({ workload: 'b1', name: 'greatest rate', client: 'native', side: 'sluice', mode: 'fsync', turn: 0, figures: { greatestMbPerS: value } });
  const verdict = (list: Measurement[]) => judgeGoals(list).find((each) => each.workload === 'b1');
  assert.equal(verdict([greatest(200)])?.isMet, true);
  assert.equal(verdict([greatest(100)])?.isMet, false);
  assert.equal(verdict([greatest(100), { ...greatest(500), turn: 1 }])?.isMet, true);
  assert.equal(verdict([])?.isMet, undefined);
});
