// Produce with big batches, as fast as the answers come: 1 KiB records in 16 partitions.
import { measureProduce } from '../cases.js';
import { measureJavaProduce } from '../java.js';
import { measureKafkajsProduce } from '../kafkajs.js';
import { isFirstTurn, modesOfPeer, type Workload } from '../stage.js';

const figures = ['mbPerS', 'cpuSPerGb', 'p99Ms', 'clientShare'] as const;

export const produce: Workload = {
  id: 'produce',
  title: 'Produce, 1 KiB records, 16 partitions, as fast as it goes',
  seconds: 140,
  onBare: true,
  async run(stage) {
    for (const batchRecords of stage.effort.some(isFirstTurn(stage) ? [60, 900] : [900], [60])) {
      await measureProduce(stage, {
        name: `batches of ${batchRecords === 60 ? '60 KiB' : '900 KiB'}`,
        settings: '5 requests in flight, one batch a request',
        ...{ recordSize: 1024, batchRecords, partitions: 16, depth: 5, seconds: 20, warmSeconds: 3, figures, modes: modesOfPeer(stage) },
      });
    }
    if (!isFirstTurn(stage)) return;
    const javaCase = { name: 'kafka-producer-perf-test', recordSize: 1024, partitions: 16, lingerMs: 5, batchBytes: 128 << 10 };
    await measureJavaProduce(stage, { ...javaCase, seconds: 8, figures: ['mbPerS', 'cpuSPerGb', 'p50Ms', 'p99Ms', 'clientShare'] });
    await measureKafkajsProduce(stage, { name: 'kafkajs', recordSize: 1024, partitions: 16, batchRecords: 100, seconds: 8 });
  },
};
