// Sluice beside Apache Kafka on this machine: npm run bench -- [--only REGEX] [--scale 1] [--rounds 1] [--passes 2] [--sides sluice,kafka]
//   [--out FILE] [--data DIR]
// The sides are started fresh in turn A B B A (once a round), the bare server before and after. Prints one table and writes every
// measurement, one JSON line each, to bench/results/local (or --out).
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { BrokerProcess } from '../test/support/broker.js';
import { KAFKA_VERSION, repositoryRoot } from '../test/support/paths.js';
import { buildLoadGenerator, load, type LoadResult, topicConfigs, warmPageCache, withBare } from './sides.js';
import { type Measurement, renderTable } from './table.js';
import { type Workload, workloads } from './workloads.js';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '.' },
    scale: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '1' },
    passes: { type: 'string', default: '2' },
    sides: { type: 'string', default: 'sluice,kafka' },
    out: { type: 'string' },
    data: { type: 'string' },
  },
});
if (options.data !== undefined) process.env['SLUICE_TEST_TMP'] = options.data;

const scale = Number(options.scale);
const passes = Number(options.passes);
const chosen = workloads.filter((each) => new RegExp(options.only).test(each.name)).map(scaled);
const isLifecycleWanted = new RegExp(options.only).test('lifecycle');
const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-');
const outFile = options.out ?? join(repositoryRoot, 'bench', 'results', 'local', `${stamp}.jsonl`);
const measurements: Measurement[] = [];

function scaled(workload: Workload): Workload {
  const args = Object.fromEntries(
    Object.entries(workload.args).map(([name, value]) => [name, ['--bytes', '--seconds', '--count'].includes(name) ? Math.max(value * scale, 0.1) : value]),
  );
  if ('--count' in args) args['--count'] = Math.max(10, Math.round(args['--count'] ?? 10));
  return { ...workload, args };
}

function record(measurement: Measurement): void {
  measurements.push(measurement);
  appendFileSync(outFile, `${JSON.stringify(measurement)}\n`);
  const shown = Object.entries(measurement.figures).map(([key, value]) => `${key} ${value.toPrecision(4)}`);
  console.error(`${measurement.side} ${measurement.turn}/${measurement.pass} ${measurement.workload}: ${shown.join(', ')}`);
}

function figuresOf(workload: Workload, result: LoadResult, cpuSeconds: number): Record<string, number> {
  const number = (name: string): number => Number(result[name]);
  const latencies = { p50Ms: number('p50_us') / 1000, p99Ms: number('p99_us') / 1000, p999Ms: number('p999_us') / 1000 };
  if (workload.unit === 'bytes') return { mbPerS: number('mb_per_s'), cpuSPerGb: cpuSeconds / (number('bytes') / 1e9) };
  const requests = workload.command === 'e2e' ? number('records') : number('requests');
  const cpuSPerMillion = (cpuSeconds / requests) * 1e6;
  if (workload.unit === 'latency') return { ...latencies, cpuSPerMillion };
  return { requestsPerS: number('requests_per_s'), cpuSPerMillion, p50Ms: latencies.p50Ms, p99Ms: latencies.p99Ms };
}

async function measureBare(turn: number): Promise<void> {
  for (const workload of chosen) {
    if (workload.bare === 'none') continue;
    await withBare(workload, async (port, server) => {
      for (let pass = 0; pass < passes; pass += 1) {
        const cpuBefore = server.cpuSeconds();
        const args: Record<string, number | string> = { ...workload.args, '--topic': 'bare', '--partitions': 1 };
        if (workload.command === 'fetch') delete args['--bytes'];
        const result = await load(workload.command, port, args);
        record({ side: 'bare', turn, pass, workload: workload.name, figures: figuresOf(workload, result, server.cpuSeconds() - cpuBefore) });
      }
    });
  }
}

async function measurePass(broker: BrokerProcess, workload: Workload, turn: number, pass: number): Promise<void> {
  const topic = { '--topic': workload.name, '--partitions': workload.partitions };
  const config = topicConfigs(broker.kind, workload.durability);
  warmPageCache(broker.dataDirectory, workload.args['--bytes'] ?? 50e6);
  await load('create', broker.port, { ...topic, ...(config === undefined ? {} : { '--config': config }) });
  const args: Record<string, number | string> = { ...workload.args, ...topic };
  if (workload.command === 'fetch') {
    await load('produce', broker.port, args);
    delete args['--bytes'];
  }
  const cpuBefore = broker.process.cpuSeconds();
  const result = await load(workload.command, broker.port, args);
  const cpuSeconds = broker.process.cpuSeconds() - cpuBefore;
  await load('delete', broker.port, topic);
  record({ side: broker.kind, turn, pass, workload: workload.name, figures: figuresOf(workload, result, cpuSeconds) });
}

async function measureSide(kind: 'sluice' | 'kafka', turn: number): Promise<void> {
  // Kafka waits a minute before it deletes the files of a deleted topic; a run would fill the page cache with them.
  const broker = await BrokerProcess.prepare({ kind, properties: kind === 'kafka' ? { 'log.segment.delete.delay.ms': '100' } : {} });
  const lifecycle = (workload: string, figures: Record<string, number>) => {
    if (isLifecycleWanted) record({ side: kind, turn, pass: 0, workload, figures });
  };
  try {
    lifecycle('start', { ms: await broker.start() });
    lifecycle('rss-idle', { mb: broker.process.rssBytes() / 1e6 });
    for (const workload of chosen) {
      for (let pass = 0; pass < passes; pass += 1) await measurePass(broker, workload, turn, pass);
    }
    lifecycle('rss-peak', { mb: broker.process.peakRssBytes() / 1e6 });
    if (isLifecycleWanted) {
      const topic = { '--topic': 'crash', '--partitions': 16 };
      await load('create', broker.port, topic);
      await load('produce', broker.port, { ...topic, '--bytes': 500e6 * scale });
      await broker.kill9();
      const killedAt = performance.now();
      lifecycle('restart', { ms: await broker.start() });
      await firstProduce(broker.port, topic);
      lifecycle('restart-produce', { ms: performance.now() - killedAt });
    }
    await broker.stop();
  } finally {
    await broker.dispose();
  }
}

/** Until a produce is acknowledged. */
async function firstProduce(port: number, topic: Record<string, number | string>): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await load('produce', port, { ...topic, '--bytes': 1 });
      return;
    } catch (error) {
      if (attempt > 5000) throw error;
    }
  }
}

function describeRun(): Record<string, unknown> {
  const git = (...args: string[]) => execFileSync('git', ['-C', repositoryRoot, ...args]).toString().trim();
  return {
    date: new Date().toISOString(),
    commit: git('rev-parse', '--short', 'HEAD'),
    kernel: release(),
    cpus: cpus().map((each) => each.model),
    node: process.version,
    kafka: KAFKA_VERSION,
    command: `npm run bench -- ${process.argv.slice(2).join(' ')}`.trim(),
  };
}

async function main(): Promise<void> {
  mkdirSync(dirname(outFile), { recursive: true });
  const run = describeRun();
  appendFileSync(outFile, `${JSON.stringify({ run })}\n`);
  await buildLoadGenerator();
  const sides = options.sides.split(',').filter((side): side is 'sluice' | 'kafka' => side === 'sluice' || side === 'kafka');
  const order = [...sides, ...[...sides].reverse()];
  const turns = new Map<string, number>();
  for (let round = 0; round < Number(options.rounds); round += 1) {
    await measureBare(2 * round);
    for (const side of order) {
      const turn = turns.get(side) ?? 0;
      turns.set(side, turn + 1);
      await measureSide(side, turn);
    }
    await measureBare(2 * round + 1);
  }
  const titles = new Map(chosen.map((each) => [each.name, `${each.title} (${each.durability === 'fsync' ? 'durable' : 'page cache'})`]));
  if (isLifecycleWanted) {
    titles.set('start', 'start to the first ApiVersions answer');
    titles.set('rss-idle', 'RSS, idle');
    titles.set('rss-peak', 'RSS, greatest of the run');
    titles.set('restart', 'restart after kill -9 to the first ApiVersions answer');
    titles.set('restart-produce', 'restart after kill -9 to the first acknowledged produce');
  }
  console.log(`\n${JSON.stringify(run)}\n\n${renderTable(measurements, titles)}\n\n${outFile}`);
}

await main();
