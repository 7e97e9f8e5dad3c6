// The plain cases: produce, fetch and end to end with the native generator, on any target. Each has a pass that is not counted, so that
// what is measured is compiled code, open files and warm memory.
import { type FigureKey, type Mode } from '../suite/measurement.js';
import { load, type LoadArguments, type LoadResult, percentilesOf } from './load.js';
import { modesOf, type Stage } from './stage.js';
import { type OpenTopic, type TopicRequest } from './target.js';

export interface ProduceCase {
  readonly name: string;
  readonly settings: string;
  readonly recordSize: number;
  readonly batchRecords: number;
  readonly partitions: number;
  readonly connections?: number;
  /** Requests in flight on each connection. */
  readonly depth: number;
  /** Open loop at so many MB/s of batches; closed loop when left out. */
  readonly rate?: number | undefined;
  readonly seconds: number;
  readonly warmSeconds: number;
  readonly modes?: readonly Mode[];
  readonly bareWork?: (mode: Mode) => TopicRequest['bareWork'];
  readonly figures: readonly FigureKey[];
  readonly at?: number;
}

let topics = 0;

/** A topic's name that was not used before in this run. */
export function freshTopic(purpose: string): string {
  topics += 1;
  return `${purpose.replaceAll(/[^a-z0-9]+/gi, '-')}-${topics}`;
}

export type Shape = Pick<ProduceCase, 'recordSize' | 'batchRecords' | 'connections' | 'depth' | 'rate'>;

export function produceArguments(topic: OpenTopic, of: Shape, seconds: number): LoadArguments {
  return {
    '--topic': topic.name,
    '--partitions': topic.partitions,
    '--record-size': of.recordSize,
    '--batch-records': of.batchRecords,
    '--connections': of.connections ?? 1,
    '--depth': of.depth,
    '--rate': of.rate,
    '--seconds': seconds,
  };
}

export function figuresOf(result: LoadResult, cpuSeconds: number, keys: readonly FigureKey[]): Partial<Record<FigureKey, number>> {
  const requests = result.requests ?? result.records;
  const all: Partial<Record<FigureKey, number>> = {
    mbPerS: result.mb_per_s,
    gbPerS: result.mb_per_s / 1000,
    recordsPerS: result.records_per_s,
    requestsPerS: result.requests_per_s,
    cpuSPerGb: cpuSeconds / (result.bytes / 1e9),
    cpuSPerMillion: (cpuSeconds / requests) * 1e6,
    requestsPerGb: requests / (result.bytes / 1e9),
    p50Ms: result.p50_us / 1000,
    p95Ms: result.p95_us / 1000,
    p99Ms: result.p99_us / 1000,
    p999Ms: result.p999_us / 1000,
    meanMs: result.mean_us / 1000,
    clientShare: (100 * result.client_cpu_s) / result.seconds,
  };
  return Object.fromEntries(keys.flatMap((key) => (Number.isFinite(all[key]) ? [[key, all[key]]] : [])));
}

export async function withTopic<T>(stage: Stage, request: TopicRequest, use: (topic: OpenTopic) => Promise<T>): Promise<T> {
  const topic = await stage.target.open(request);
  try {
    return await use(topic);
  } finally {
    await topic.close();
  }
}

/** One measured pass on an open topic. */
export async function producePass(topic: OpenTopic, of: Shape, seconds: number): Promise<{ result: LoadResult; cpuSeconds: number }> {
  const before = topic.cpuSeconds();
  const result = await load('produce', topic.port, produceArguments(topic, of, seconds), { timeoutMs: (seconds + 120) * 1000 });
  return { result, cpuSeconds: topic.cpuSeconds() - before };
}

export async function measureProduce(stage: Stage, of: ProduceCase): Promise<void> {
  if (!stage.clients.has('native')) return;
  for (const mode of modesOf(stage, of.modes)) {
    const seconds = stage.effort.seconds(of.seconds);
    const bareWork = of.bareWork?.(mode);
    const request = { name: freshTopic(of.name), partitions: of.partitions, mode, ...(bareWork === undefined ? {} : { bareWork }) };
    await withTopic(stage, request, async (topic) => {
      stage.memory.fill();
      await producePass(topic, of, stage.effort.warmSeconds(of.warmSeconds));
      const { result, cpuSeconds } = await producePass(topic, of, seconds);
      stage.record({
        name: of.name, mode, client: 'native', settings: of.settings, figures: figuresOf(result, cpuSeconds, of.figures),
        ...percentilesOf(result),
        ...(of.at === undefined ? {} : { at: of.at }),
      });
    });
  }
}
