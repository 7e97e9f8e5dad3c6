// kafkajs as a client, in a process of its own (kafkajs-client.ts).
import { fileURLToPath } from 'node:url';
import { type FigureKey } from '../suite/measurement.js';
import { freshTopic, withTopic } from './cases.js';
import { runMeasured } from './measured-process.js';
import { modesOf, type Stage } from './stage.js';
import { type OpenTopic } from './target.js';

const program = fileURLToPath(new URL('kafkajs-client.js', import.meta.url));

interface Printed {
  readonly seconds: number;
  readonly records: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

async function runClient(topic: OpenTopic, args: readonly string[], recordSize: number): Promise<Partial<Record<FigureKey, number>>> {
  const before = topic.cpuSeconds();
  const run = await runMeasured(process.execPath, [program, `127.0.0.1:${topic.port}`, topic.name, ...args], 300_000);
  const cpu = topic.cpuSeconds() - before;
  const printed = JSON.parse(run.output.trim().split('\n').at(-1) ?? '') as Printed;
  const bytes = printed.records * recordSize;
  return {
    recordsPerS: printed.records / printed.seconds,
    mbPerS: bytes / printed.seconds / 1e6,
    cpuSPerGb: cpu / (bytes / 1e9),
    ...(printed.p50Ms === undefined ? {} : { p50Ms: printed.p50Ms }),
    ...(printed.p99Ms === undefined ? {} : { p99Ms: printed.p99Ms }),
    clientShare: (100 * run.cpuSeconds) / run.seconds,
  };
}

export async function measureKafkajsProduce(stage: Stage, of: { name: string; recordSize: number; partitions: number; batchRecords: number; seconds: number }): Promise<void> {
  if (stage.broker === undefined || !stage.clients.has('kafkajs')) return;
  for (const mode of modesOf(stage)) {
    await withTopic(stage, { name: freshTopic('kafkajs'), partitions: of.partitions, mode }, async (topic) => {
      const args = ['produce', String(stage.effort.seconds(of.seconds)), String(of.recordSize), String(of.batchRecords)];
      const figures = await runClient(topic, args, of.recordSize);
      stage.record({ name: of.name, mode, client: 'kafkajs', settings: `acks=-1, send() of ${of.batchRecords} messages, 4 in flight`, figures });
    });
  }
}

export async function measureKafkajsConsume(stage: Stage, of: { name: string; topic: OpenTopic; records: number; recordSize?: number }): Promise<void> {
  if (stage.broker === undefined || !stage.clients.has('kafkajs')) return;
  const figures = await runClient(of.topic, ['consume', String(of.records)], of.recordSize ?? 1024);
  stage.record({ name: of.name, client: 'kafkajs', settings: 'eachBatch', figures });
}
