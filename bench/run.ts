// Sluice beside Apache Kafka and beside the bare limit of this machine: npm run bench. `npm run bench -- --help` says what can be chosen;
// docs/benchmarks.md says what it measures and how to read it.
import { join, resolve } from 'node:path';
import { requireKafka } from '../test/support/java.js';
import { repositoryRoot } from '../test/support/paths.js';
import { buildNativePrograms } from './broker/load.js';
import { type BrokerSide } from './broker/broker-target.js';
import { MemoryFiller } from './broker/page-cache.js';
import { estimate, runRounds } from './broker/rounds.js';
import { brokerWorkloads } from './broker/workloads/index.js';
import { embedded } from './embedded/run.js';
import { codecs, MICRO_TITLE } from './micro/run.js';
import { arePackagesReady, type InProcessWorkload, type PackageName, requirePackages } from './packages/npm.js';
import { type Options, parseOptions, USAGE, UsageError } from './options.js';
import { writeReport } from './report/write.js';
import { runRocketMq } from './rocketmq/run.js';
import { Effort } from './suite/effort.js';
import { say, sayMeasurement } from './suite/progress.js';
import { describeRun, readResults, Results, type Run } from './suite/results.js';
import { type Measurement } from './suite/measurement.js';

const QUICK_SCALE = 0.04;
/** Of a full run, what no scale makes shorter: starts, topics that come and go, JVMs of clients. */
const FIXED_SHARE = 0.4;
const LEAST_SCALE = 0.01;

const inProcess = [embedded, codecs] as const;
const titles = new Map<string, string>([...[...brokerWorkloads, ...inProcess].map((each) => [each.id, each.title] as const), ['micro', MICRO_TITLE]]);

function effortOf(options: Options, fullSeconds: number): Effort {
  if (options.isQuick) return new Effort(QUICK_SCALE, true);
  if (options.minutes === undefined) return new Effort(1, false);
  return new Effort(Math.min(1, Math.max(LEAST_SCALE, (options.minutes * 60) / fullSeconds - FIXED_SHARE) / (1 - FIXED_SHARE)), false);
}

function report(directory: string, run: Run, measurements: readonly Measurement[]): void {
  const { markdown, notes } = writeReport(directory, run, measurements, titles);
  console.log(`\n${markdown}\n`);
  for (const note of notes) say(note);
  say(`${join(directory, 'report.html')} shows it all`);
}

/** Everything that a run needs, before anything is measured. */
async function prepare(options: Options, runsBrokers: boolean, sides: readonly BrokerSide[], packages: readonly PackageName[]): Promise<void> {
  const needsKafka = runsBrokers && (sides.includes('kafka') || options.clients.has('java'));
  if (runsBrokers) say('building the load generator');
  if (needsKafka) say('fetching Apache Kafka where it is not here yet');
  // Some mostly wait, the others mostly compile.
  await Promise.all([runsBrokers ? buildNativePrograms() : undefined, needsKafka ? requireKafka() : undefined, requirePackages(packages)]);
}

async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help')) {
    console.log(USAGE);
    return;
  }
  const options = parseOptions(argv);
  if (options.report !== undefined) {
    const earlier = readResults(options.report);
    report(resolve(options.report), earlier.run, earlier.measurements);
    return;
  }
  if (options.data !== undefined) process.env['SLUICE_TEST_TMP'] = resolve(options.data);
  const workloads = brokerWorkloads.filter((each) => options.chosen.some((name) => name === each.id));
  const sides: BrokerSide[] = options.peers.includes('kafka') ? ['sluice', 'kafka'] : ['sluice'];
  const own = inProcess.filter((each) => options.chosen.includes(each.id));
  const isLeftOut = ({ packages }: InProcessWorkload) => options.isQuick && options.named.length === 0 && !arePackagesReady(packages);
  const fullSeconds = estimate(workloads, sides.length) * options.rounds + own.reduce((sum, each) => sum + each.seconds, 0);
  const effort = effortOf(options, fullSeconds);
  const directory = resolve(options.out ?? join(repositoryRoot, 'bench', 'results', 'local', new Date().toISOString().replaceAll(/[:.]/g, '-')));
  const run = describeRun(argv, effort.scale);
  const results = new Results(directory, run);
  const add = (measurement: Measurement) => {
    results.add(measurement);
    sayMeasurement(measurement);
  };
  say(options.isQuick ? 'a quick run: its figures are rough' : `about ${Math.ceil((fullSeconds * (FIXED_SHARE + (1 - FIXED_SHARE) * effort.scale)) / 60)} minutes`);
  await prepare(options, workloads.length > 0, sides, own.flatMap((each) => (isLeftOut(each) ? [] : each.packages)));
  if (workloads.length > 0) {
    const fail = (what: string) => {
      say(`FAILED: ${what}`);
      process.exitCode = 1;
    };
    const memory = new MemoryFiller(effort);
    try {
      await runRounds({ workloads, sides, effort, rounds: options.rounds, clients: options.clients, properties: options.properties, memory, add, fail });
    } finally {
      memory.dispose();
    }
  }
  if (options.peers.includes('rocketmq') && options.chosen.includes('b8')) await runRocketMq(effort, add);
  for (const each of own) {
    if (isLeftOut(each)) say(`${each.id} is left out: what it compares with is not installed yet; name it to have that done`);
    else await each.run(effort, add);
  }
  report(directory, run, results.measurements);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
