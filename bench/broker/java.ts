// Kafka's own performance tools as clients: what users try first.
import { javaCommand, type KafkaTool, kafkaToolClasses, requireKafka } from '../../test/support/java.js';
import { kafkaLibs } from '../../test/support/paths.js';
import { type FigureKey, type Mode } from '../suite/measurement.js';
import { freshTopic, withTopic } from './cases.js';
import { parseConsumerPerf, parseEndToEnd, parseProducerPerf } from './java-output.js';
import { type MeasuredRun, runMeasured } from './measured-process.js';
import { modesOf, modesOfTurn, type Stage } from './stage.js';
import { type OpenTopic } from './target.js';

/** What Kafka's scripts give the tools' JVM. */
const TOOL_FLAGS = [
  '-Xmx512M', '-server', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20', '-XX:InitiatingHeapOccupancyPercent=35', '-XX:+ExplicitGCInvokesConcurrent',
] as const;
const GUESSED_RECORDS_PER_S = { small: 800_000, large: 120_000 };

export async function runTool(tool: KafkaTool, args: readonly string[], timeoutMs = 600_000): Promise<MeasuredRun> {
  await requireKafka();
  return runMeasured(javaCommand(), [...TOOL_FLAGS, '-cp', `${kafkaLibs('tools')}/*`, kafkaToolClasses[tool], ...args], timeoutMs);
}

export interface JavaProduceCase {
  readonly name: string;
  readonly recordSize: number;
  readonly partitions: number;
  readonly lingerMs: number;
  readonly batchBytes: number;
  /** As fast as it goes when left out. */
  readonly mbPerS?: number;
  readonly seconds: number;
  readonly modes?: readonly Mode[];
  readonly figures: readonly FigureKey[];
  readonly settings?: string;
}

/** One run of kafka-producer-perf-test; its own warm-up is a quarter of the records and does not count. */
export async function javaProduce(topic: OpenTopic, of: JavaProduceCase, records: number): Promise<{ figures: Partial<Record<FigureKey, number>>; recordsPerS: number }> {
  const before = topic.cpuSeconds();
  const run = await runTool('kafka-producer-perf-test', [
    ...['--bootstrap-server', `127.0.0.1:${topic.port}`, '--topic', topic.name, '--record-size', String(of.recordSize), '--num-records', String(records)],
    ...['--throughput', of.mbPerS === undefined ? '-1' : String(Math.round((of.mbPerS * 1e6) / of.recordSize)), '--warmup-records', String(Math.floor(records / 4))],
    ...['--print-metrics', '--command-property', 'acks=all', `linger.ms=${of.lingerMs}`, `batch.size=${of.batchBytes}`],
  ]);
  const cpu = topic.cpuSeconds() - before;
  const perf = parseProducerPerf(run.output);
  const gigabytes = (records * of.recordSize) / 1e9;
  const all: Partial<Record<FigureKey, number>> = {
    recordsPerS: perf.recordsPerS,
    mbPerS: (perf.recordsPerS * of.recordSize) / 1e6,
    cpuSPerGb: cpu / gigabytes,
    cpuSPerMillion: (cpu / perf.requests) * 1e6,
    requestsPerGb: perf.requests / gigabytes,
    p50Ms: perf.p50Ms, p95Ms: perf.p95Ms, p99Ms: perf.p99Ms, p999Ms: perf.p999Ms, meanMs: perf.meanMs,
    clientShare: (100 * run.cpuSeconds) / run.seconds,
  };
  return { figures: Object.fromEntries(of.figures.flatMap((key) => (Number.isFinite(all[key]) ? [[key, all[key]]] : []))), recordsPerS: perf.recordsPerS };
}

export async function measureJavaProduce(stage: Stage, of: JavaProduceCase): Promise<void> {
  if (stage.broker === undefined || !stage.clients.has('java')) return;
  for (const mode of modesOf(stage, of.modes)) {
    await withTopic(stage, { name: freshTopic(of.name), partitions: of.partitions, mode }, async (topic) => {
      const seconds = stage.effort.seconds(of.seconds);
      const guessed = of.recordSize < 512 ? GUESSED_RECORDS_PER_S.small : GUESSED_RECORDS_PER_S.large;
      const asked = of.mbPerS === undefined ? undefined : (of.mbPerS * 1e6) / of.recordSize;
      // A first run warms the broker for this client and tells how many records the time holds.
      const first = await javaProduce(topic, of, Math.round((asked ?? guessed) * stage.effort.warmSeconds(3)));
      const records = Math.max(1000, Math.round((asked ?? first.recordsPerS) * seconds * (4 / 3)));
      stage.memory.fill();
      const { figures } = await javaProduce(topic, of, records);
      const settings = of.settings ?? `acks=all, linger ${of.lingerMs} ms, batch.size ${of.batchBytes}`;
      stage.record({ name: of.name, mode, client: 'java', settings, figures });
    });
  }
}

export async function javaConsume(topic: OpenTopic, records: number, recordSize: number): Promise<Partial<Record<FigureKey, number>>> {
  const before = topic.cpuSeconds();
  const where = ['--bootstrap-server', `127.0.0.1:${topic.port}`, '--topic', topic.name];
  const run = await runTool('kafka-consumer-perf-test', [...where, '--num-records', String(records), '--timeout', '30000']);
  const perf = parseConsumerPerf(run.output);
  return {
    recordsPerS: perf.recordsPerS, mbPerS: (perf.recordsPerS * recordSize) / 1e6,
    cpuSPerGb: (topic.cpuSeconds() - before) / ((perf.records * recordSize) / 1e9),
    clientShare: (100 * run.cpuSeconds) / run.seconds,
  };
}

export async function measureJavaConsume(stage: Stage, of: { name: string; topic: OpenTopic; records: number; recordSize?: number }): Promise<void> {
  if (stage.broker === undefined || !stage.clients.has('java')) return;
  const figures = await javaConsume(of.topic, of.records, of.recordSize ?? 1024);
  stage.record({ name: of.name, client: 'java', settings: 'fetch-size 1 MiB', figures });
}

export async function measureJavaEndToEnd(stage: Stage, of: { name: string; records: number }): Promise<void> {
  if (stage.broker === undefined || !stage.clients.has('java')) return;
  for (const mode of modesOfTurn(stage)) {
    await withTopic(stage, { name: freshTopic('java-e2e'), partitions: 1, mode }, async (topic) => {
      const { output } = await runTool('kafka-e2e-latency', [
        ...['--bootstrap-server', `127.0.0.1:${topic.port}`, '--topic', topic.name, '--num-records', String(of.records), '--producer-acks', 'all', '--record-size', '100'],
      ]);
      stage.record({ name: of.name, mode, client: 'java', settings: 'acks=all', figures: parseEndToEnd(output) });
    });
  }
}
