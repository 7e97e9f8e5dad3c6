// 20 MB/s of 1 KiB, what a quiet topic looks like: latency, and what a request costs.
import { type FigureKey } from '../../suite/measurement.js';
import { measureProduce } from '../cases.js';
import { measureJavaProduce } from '../java.js';
import { modesOfTurn, usualMode, type Workload } from '../stage.js';

const figures: readonly FigureKey[] = ['p50Ms', 'p99Ms', 'p999Ms', 'cpuSPerGb', 'cpuSPerMillion', 'clientShare'];

export const paced: Workload = {
  id: 'paced',
  title: '20 MB/s of 1 KiB records, 16 partitions',
  seconds: 100,
  onBare: true,
  async run(stage) {
    const modes = modesOfTurn(stage);
    await measureProduce(stage, {
      name: 'open loop, intended times', settings: 'batches of 4 KiB, at most 50 in flight',
      ...{ recordSize: 1024, batchRecords: 4, partitions: 16, depth: 50, rate: 20, seconds: 12, warmSeconds: 2, figures },
      // Kafka with a sync for each request takes less than 20 MB/s: the next case, whose client waits, says how much.
      modes: stage.target.side === 'kafka' ? [usualMode(stage.target)] : modes,
    });
    await measureJavaProduce(stage, {
      name: 'kafka-producer-perf-test', recordSize: 1024, partitions: 16, lingerMs: 0, batchBytes: 16384, mbPerS: 20, seconds: 20,
      figures: ['p50Ms', 'p99Ms', 'p999Ms', 'cpuSPerGb', 'cpuSPerMillion', 'requestsPerGb', 'clientShare'], modes,
    });
  },
};
