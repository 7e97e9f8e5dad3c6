// Which drawings a run has, by what was measured in it.
import { type FigureKey, type Measurement } from '../suite/measurement.js';
import { columnOf } from './rows.js';
import { linearAxis, logAxis, percentileAxis, stepAxis } from './scale.js';
import { median, valuesOf } from './statistics.js';
import { type BarChart, barChart, type LineChart, lineChart, type Series } from './svg.js';
import { type Role, type Theme } from './theme.js';

export interface Plot {
  readonly name: string;
  draw(theme: Theme): string;
}

/** Who is drawn, how, and under which name; the order is the legend's. */
const LINES: readonly { side: Measurement['side']; mode: Measurement['mode']; label: string; role: Role; isDashed: boolean }[] = [
  { side: 'sluice', mode: 'fsync', label: 'Sluice, durable', role: 'sluice', isDashed: false },
  { side: 'sluice', mode: 'os', label: 'Sluice, page cache', role: 'sluice', isDashed: true },
  { side: 'kafka', mode: 'fsync', label: 'Kafka, durable', role: 'kafka', isDashed: false },
  { side: 'kafka', mode: 'os', label: 'Kafka, page cache', role: 'kafka', isDashed: true },
  { side: 'rocketmq', mode: 'fsync', label: 'RocketMQ, durable', role: 'rocketmq', isDashed: false },
  { side: 'bare', mode: 'fsync', label: 'bare limit, durable', role: 'bare', isDashed: false },
  { side: 'bare', mode: 'os', label: 'bare limit, page cache', role: 'bare', isDashed: true },
];

/** For what has nothing to do with acknowledging: reading. */
const WITHOUT_MODE = LINES.filter((line) => line.mode === 'os').map((line) => ({ ...line, mode: undefined, label: line.label.replace(', page cache', '') }));

const byNumber = (a: readonly [number, number], b: readonly [number, number]) => a[0] - b[0];

function seriesOf(measurements: readonly Measurement[], pointsOf: (own: readonly Measurement[]) => (readonly [number, number])[]): Series[] {
  return LINES.flatMap(({ side, mode, label, role, isDashed }) => {
    const points = pointsOf(measurements.filter((each) => each.side === side && each.mode === mode)).filter(([, y]) => Number.isFinite(y) && y > 0);
    return points.length === 0 ? [] : [{ label, role, isDashed, points }];
  });
}

/** The medians of all turns, percentile by percentile, in milliseconds. */
function percentilePoints(own: readonly Measurement[]): (readonly [number, number])[] {
  const lists = own.flatMap((each) => (each.percentiles === undefined ? [] : [each.percentiles]));
  const percents = [...new Set(lists.flatMap((list) => list.map(([percent]) => percent)))].filter((percent) => percent < 99.999).sort((a, b) => a - b);
  return percents.map((percent) => [percent, median(lists.flatMap((list) => list.filter(([at]) => at === percent).map(([, us]) => us / 1000)))] as const);
}

function atPoints(key: FigureKey, scale = 1): (own: readonly Measurement[]) => (readonly [number, number])[] {
  return (own) => {
    const places = [...new Set(own.flatMap((each) => (each.at !== undefined && key in each.figures ? [each.at] : [])))];
    return places.map((at) => [at, scale * median(valuesOf(own.filter((each) => each.at === at), key))] as const).sort(byNumber);
  };
}

function lines(name: string, chart: Omit<LineChart, 'x' | 'y'> & { x: (xs: number[]) => LineChart['x']; y: (ys: number[]) => LineChart['y'] }): Plot[] {
  const points = chart.series.flatMap((each) => each.points);
  if (points.length < 2) return [];
  const ready: LineChart = { ...chart, x: chart.x(points.map(([x]) => x)), y: chart.y(points.map(([, y]) => y)) };
  return [{ name, draw: (theme) => lineChart(ready, theme) }];
}

function latencyPlot(measurements: readonly Measurement[], name: string, title: string, subtitle: string, use: (each: Measurement) => boolean): Plot[] {
  const series = seriesOf(measurements.filter((each) => each.client === 'native' && use(each)), percentilePoints);
  return lines(name, { title, subtitle, series, x: () => percentileAxis('of all requests', 99.99), y: (ys) => logAxis('milliseconds', ys) });
}

/** Broker CPU seconds per GB, one group for each thing measured. */
function cpuPlot(measurements: readonly Measurement[]): Plot[] {
  const of = (workload: string, name: string, label: string, client = 'native') => ({ workload, name, label, client });
  const wanted = [
    of('produce', 'batches of 60 KiB', 'produce, 60 KiB'), of('produce', 'batches of 900 KiB', 'produce, 900 KiB'),
    of('produce', 'kafka-producer-perf-test', 'produce, Java client', 'java'), of('paced', 'kafka-producer-perf-test', '20 MB/s, Java client', 'java'),
    of('fetch', 'from the beginning to the end', 'fetch'), of('b9', '32 consumers, bytes out', 'fan-out to 32'),
  ];
  const groups = wanted.flatMap(({ workload, name, label, client }): BarChart['groups'] => {
    const own = measurements.filter((each) => each.workload === workload && each.name === name && each.client === client && 'cpuSPerGb' in each.figures);
    const bars = [...LINES, ...WITHOUT_MODE].flatMap((line) => {
      const value = median(valuesOf(own.filter((each) => each.side === line.side && each.mode === line.mode), 'cpuSPerGb'));
      return Number.isNaN(value) ? [] : [{ label: line.label, role: line.role, isPale: line.isDashed, value }];
    });
    return bars.length === 0 ? [] : [{ label, bars }];
  });
  if (groups.length === 0) return [];
  const chart: BarChart = { title: 'What a gigabyte costs', subtitle: "the broker's CPU seconds, less is better", unit: 's per GB', groups };
  return [{ name: 'cpu-per-gb', draw: (theme) => barChart(chart, theme) }];
}

/** Operations a second of in-process stores, and the like: one bar for each side. */
function sidesPlot(measurements: readonly Measurement[], name: string, workload: string, title: string, subtitle: string, key: FigureKey): Plot[] {
  const own = measurements.filter((each) => each.workload === workload && key in each.figures);
  const rolesOf = (side: Measurement['side']): Role => (side === 'sluice' ? 'sluice' : side === 'bare' ? 'bare' : 'kafka');
  const isSettingTelling = new Set(own.map((each) => each.settings)).size > 1;
  const keys = [...new Map(own.map((each) => [`${each.name}\0${each.settings}`, each])).values()];
  const groups = keys.map(({ name: label, settings }) => {
    const here = own.filter((each) => each.name === label && each.settings === settings);
    const columns = [...new Map(here.map((each) => [`${each.side}${each.mode ?? ''}`, each])).values()];
    const bars = columns.map((each) => ({
      label: each.side === 'sluice' ? 'Sluice' : columnOf(each), role: rolesOf(each.side),
      value: median(valuesOf(here.filter((other) => other.side === each.side && other.mode === each.mode), key)),
    }));
    return { label, ...(isSettingTelling && settings !== undefined ? { detail: settings } : {}), bars };
  });
  return groups.length === 0 ? [] : [{ name, draw: (theme) => barChart({ title, subtitle, unit: '', groups }, theme) }];
}

export function plotsOf(measurements: readonly Measurement[]): Plot[] {
  const of = (workload: string) => measurements.filter((each) => each.workload === workload);
  return [
    ...latencyPlot(of('paced'), 'latency-paced', 'Latency at 20 MB/s', '1 KiB records, 16 partitions, open loop, from the intended time', () => true),
    ...latencyPlot(of('b8'), 'latency-small', 'Latency of small requests', 'one record of 100 B each, 64 connections', (each) => each.name.startsWith('64 connections')),
    ...latencyPlot(of('e2e'), 'latency-end-to-end', 'End to end', 'one record of 100 B, from producer to waiting consumer', () => true),
    ...lines('rate-by-partitions', {
      title: 'Rate by partitions', subtitle: 'produce as fast as it goes, 1 KiB records, batches of 16 KiB',
      series: seriesOf(of('b3'), atPoints('mbPerS')), x: (xs) => stepAxis('partitions', xs), y: (ys) => linearAxis('MB/s', Math.max(...ys)),
    }),
    ...lines('latency-by-partitions', {
      title: 'Latency by partitions', subtitle: '10 MB/s of 1 KiB records, p99',
      series: seriesOf(of('b3').filter((each) => !each.name.startsWith('first')), atPoints('p99Ms')),
      x: (xs) => stepAxis('partitions', xs), y: (ys) => logAxis('milliseconds', ys),
    }),
    ...lines('latency-by-rate', {
      title: 'Latency by rate', subtitle: '1 KiB records, 16 partitions, p99; below 10 ms counts',
      series: seriesOf(of('b1'), atPoints('p99Ms')), x: (xs) => stepAxis('MB/s', xs), y: (ys) => logAxis('milliseconds', ys),
    }),
    ...cpuPlot(measurements),
    ...lines('fan-out', {
      title: 'What a gigabyte out costs', subtitle: '25 MB/s of producing, consumers of the tail',
      series: seriesOf(of('b9'), atPoints('cpuSPerGb')), x: (xs) => stepAxis('consumers', xs), y: (ys) => linearAxis('broker CPU s per GB', Math.max(...ys)),
    }),
    ...sidesPlot(measurements.filter((each) => each.mode === 'fsync'), 'embedded', 'b6', 'Inside a Node program', 'durable records a second, more is better', 'recordsPerS'),
    ...sidesPlot(measurements, 'codecs', 'b10', 'Codecs', 'MB/s of records compressed, more is better', 'mbPerS'),
  ];
}
