// What Kafka's performance tools print, read.

export interface ProducerPerf {
  readonly records: number;
  readonly recordsPerS: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** Produce requests of the whole run, its warm-up included; NaN without --print-metrics. */
  readonly requests: number;
}

const SUMMARY =
  /^(\d+)( steady state)? records sent, ([\d.]+) records\/sec \([\d.]+ MB\/sec\), ([\d.]+) ms avg latency, [\d.]+ ms max latency, (\d+) ms 50th, (\d+) ms 95th, (\d+) ms 99th, (\d+) ms 99\.9th\.$/gm;

/** kafka-producer-perf-test: the steady state where it prints one, which leaves the compilation of the client itself out. */
export function parseProducerPerf(output: string): ProducerPerf {
  const summaries = [...output.matchAll(SUMMARY)];
  const found = summaries.find((match) => match[2] !== undefined) ?? summaries.at(-1);
  if (found === undefined) throw new Error(`kafka-producer-perf-test printed no summary:\n${output.slice(-2000)}`);
  const [, records, , recordsPerS, meanMs, p50Ms, p95Ms, p99Ms, p999Ms] = found.map(Number);
  const requests = Number(/^producer-metrics:request-total:\{[^}]*\}\s*: ([\d.]+)$/m.exec(output)?.[1] ?? NaN);
  const number = (value: number | undefined): number => value ?? NaN;
  return {
    records: number(records), recordsPerS: number(recordsPerS), meanMs: number(meanMs), p50Ms: number(p50Ms), p95Ms: number(p95Ms), p99Ms: number(p99Ms),
    p999Ms: number(p999Ms), requests,
  };
}

export interface ConsumerPerf {
  readonly records: number;
  /** Without the time that joining the group took. */
  readonly recordsPerS: number;
}

/** kafka-consumer-perf-test. */
export function parseConsumerPerf(output: string): ConsumerPerf {
  const lines = output.trim().split('\n');
  const head = lines.find((line) => line.startsWith('start.time'))?.split(', ');
  const values = lines.at(-1)?.split(', ');
  const at = (name: string) => Number(values?.[head?.indexOf(name) ?? -1]);
  const result = { records: at('data.consumed.in.nMsg'), recordsPerS: at('fetch.nMsg.sec') };
  if (!Number.isFinite(result.records) || !Number.isFinite(result.recordsPerS)) throw new Error(`kafka-consumer-perf-test printed no figures:\n${output.slice(-2000)}`);
  return result;
}

/** kafka-e2e-latency. */
export function parseEndToEnd(output: string): { meanMs: number; p50Ms: number; p99Ms: number; p999Ms: number } {
  const mean = /^Avg latency: ([\d.]+) ms$/m.exec(output);
  const percentiles = /^Percentiles: 50th = (\d+), 99th = (\d+), 99\.9th = (\d+)$/m.exec(output);
  if (mean === null || percentiles === null) throw new Error(`kafka-e2e-latency printed no figures:\n${output.slice(-2000)}`);
  return { meanMs: Number(mean[1]), p50Ms: Number(percentiles[1]), p99Ms: Number(percentiles[2]), p999Ms: Number(percentiles[3]) };
}
