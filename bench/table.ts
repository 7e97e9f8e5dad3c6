// From measurements to the one table: a row for each figure, both sides, the bare limit, and how many times better Sluice is.

export interface Measurement {
  readonly side: 'sluice' | 'kafka' | 'bare';
  /** Which start of that side, from 0 on: the sides' n-th starts are neighbours in time and compared with each other. */
  readonly turn: number;
  readonly pass: number;
  readonly workload: string;
  readonly figures: Readonly<Record<string, number>>;
}

interface Figure {
  readonly key: string;
  readonly title: string;
  readonly isBetter: 'more' | 'less';
}

const figures: readonly Figure[] = [
  { key: 'mbPerS', title: 'MB/s', isBetter: 'more' },
  { key: 'requestsPerS', title: 'requests/s', isBetter: 'more' },
  { key: 'cpuSPerGb', title: 'broker CPU s per GB', isBetter: 'less' },
  { key: 'cpuSPerMillion', title: 'broker CPU s per million requests', isBetter: 'less' },
  { key: 'p50Ms', title: 'p50 ms', isBetter: 'less' },
  { key: 'p99Ms', title: 'p99 ms', isBetter: 'less' },
  { key: 'p999Ms', title: 'p99.9 ms', isBetter: 'less' },
  { key: 'ms', title: 'ms', isBetter: 'less' },
  { key: 'mb', title: 'MB', isBetter: 'less' },
];

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

function show(value: number): string {
  if (Number.isNaN(value)) return '-';
  if (value >= 1000) return Math.round(value).toLocaleString('en-US');
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** Markdown. The last pass of each turn counts; the ratio is above 1 where Sluice is better, with its least and greatest turn. */
export function renderTable(measurements: readonly Measurement[], titles: ReadonlyMap<string, string>): string {
  const lines = ['| workload | figure | Sluice | Kafka | bare | times better (spread) |', '|--|--|--:|--:|--:|--:|'];
  for (const [workload, title] of titles) {
    const own = lastPasses(measurements.filter((each) => each.workload === workload));
    for (const figure of figures) {
      const of = (side: Measurement['side']) => own.filter((each) => each.side === side && figure.key in each.figures);
      const sluice = of('sluice');
      const kafka = of('kafka');
      if (sluice.length === 0 && kafka.length === 0) continue;
      const value = (each: Measurement) => each.figures[figure.key] ?? NaN;
      const ratios = sluice.flatMap((each) => {
        const peer = kafka.find((other) => other.turn === each.turn);
        if (peer === undefined) return [];
        return [figure.isBetter === 'more' ? value(each) / value(peer) : value(peer) / value(each)];
      });
      const better = ratios.length === 0 ? '-' : `${show(median(ratios))} (${show(Math.min(...ratios))} - ${show(Math.max(...ratios))})`;
      const cells = [sluice, kafka, of('bare')].map((side) => show(median(side.map(value))));
      lines.push(`| ${title} | ${figure.title} | ${cells.join(' | ')} | ${better} |`);
    }
  }
  return lines.join('\n');
}

function lastPasses(measurements: readonly Measurement[]): Measurement[] {
  const last = new Map<string, Measurement>();
  for (const each of measurements) {
    const key = `${each.side} ${each.turn}`;
    if ((last.get(key)?.pass ?? -1) <= each.pass) last.set(key, each);
  }
  return [...last.values()];
}
