// RocketMQ in B8: what people pick for bursts of small messages. Its own Java client, senders that wait for each answer.
import { javaCommand } from '../../test/support/java.js';
import { figuresOf } from '../broker/cases.js';
import { type LoadResult, percentilesOf } from '../broker/load.js';
import { runMeasured } from '../broker/measured-process.js';
import { WAITING_SENDERS } from '../broker/workloads/b8.js';
import { type Effort } from '../suite/effort.js';
import { type Measurement } from '../suite/measurement.js';
import { say } from '../suite/progress.js';
import { classPath, requireRocketMq } from './jars.js';
import { RocketMqServer } from './server.js';

const FIGURES = ['requestsPerS', 'cpuSPerMillion', 'p50Ms', 'p99Ms', 'p999Ms'] as const;

async function measure(effort: Effort, turn: number, add: (measurement: Measurement) => void): Promise<void> {
  const server = await RocketMqServer.start();
  try {
    const seconds = effort.seconds(WAITING_SENDERS.seconds);
    const send = async (warm: number, counted: number) => {
      const args = [server.nameServer, 'bench', String(WAITING_SENDERS.connections), String(WAITING_SENDERS.recordSize), String(warm), String(counted)];
      const before = server.cpuSeconds();
      const run = await runMeasured(javaCommand(), ['-Xmx512M', '-cp', classPath, 'RocketSender', ...args], (warm + counted + 120) * 1000);
      const line = run.output.split('\n').find((each) => each.startsWith('{"seconds"')) ?? '{}';
      return { result: { ...(JSON.parse(line) as LoadResult), client_cpu_s: run.cpuSeconds }, run, cpuSeconds: server.cpuSeconds() - before };
    };
    // Its first pass compiles it, as Kafka's does.
    await send(0.1, effort.warmSeconds(10));
    const warm = effort.warmSeconds(3);
    const { result, run, cpuSeconds } = await send(warm, seconds);
    const share = seconds / (warm + seconds);
    add({
      workload: 'b8', name: WAITING_SENDERS.name, settings: WAITING_SENDERS.settings, client: WAITING_SENDERS.client, side: 'rocketmq', mode: 'fsync', turn,
      figures: { ...figuresOf(result, cpuSeconds * share, FIGURES), clientShare: (100 * run.cpuSeconds) / run.seconds },
      ...percentilesOf(result),
    });
  } finally {
    await server.stop();
  }
}

export async function runRocketMq(effort: Effort, add: (measurement: Measurement) => void): Promise<void> {
  await requireRocketMq();
  for (const turn of effort.isQuick ? [0] : [0, 1]) {
    say(`rocketmq (${turn}), SYNC_FLUSH`);
    await measure(effort, turn, add);
  }
}
