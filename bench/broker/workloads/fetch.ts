// Reading what lies in memory.
import { load } from '../load.js';
import { figuresOf, freshTopic, withTopic } from '../cases.js';
import { measureJavaConsume } from '../java.js';
import { measureKafkajsConsume } from '../kafkajs.js';
import { isFirstTurn, type Workload } from '../stage.js';

const figures = ['mbPerS', 'cpuSPerGb', 'clientShare'] as const;
const shape = { recordSize: 1024, batchRecords: 60 };
const PASSES = 4;

export const fetch: Workload = {
  id: 'fetch',
  title: 'Fetch, 1 KiB records, 16 partitions, segments in memory',
  seconds: 20,
  onBare: true,
  async run(stage) {
    const bytes = stage.effort.bytes(2e9);
    const bareWork = { fetchBytes: bytes, ...shape };
    await withTopic(stage, { name: freshTopic('fetch'), partitions: 16, mode: 'os', bareWork, retainBytes: 64e9 }, async (topic) => {
      const common = { '--topic': topic.name, '--partitions': topic.partitions, '--record-size': shape.recordSize, '--batch-records': shape.batchRecords };
      if (stage.broker !== undefined) {
        stage.memory.fill();
        await load('produce', topic.port, { ...common, '--bytes': bytes });
      }
      if (stage.clients.has('native')) {
        // Every batch's content is compared once; the measured passes compare one in sixteen.
        await load('fetch', topic.port, { ...common, '--verify-every': 1 });
        const before = topic.cpuSeconds();
        const result = await load('fetch', topic.port, { ...common, '--passes': PASSES });
        stage.record({
          name: 'from the beginning to the end', client: 'native', settings: 'fetch.max.bytes 50 MiB, 1 MiB a partition',
          figures: figuresOf(result, topic.cpuSeconds() - before, figures),
        });
      }
      if (stage.broker === undefined || !isFirstTurn(stage)) return;
      const records = Math.floor(bytes / (shape.recordSize * 1.02));
      await measureJavaConsume(stage, { name: 'kafka-consumer-perf-test', topic, records: Math.floor(records * 0.9) });
      await measureKafkajsConsume(stage, { name: 'kafkajs', topic, records: Math.min(records, stage.effort.count(300_000)) });
    });
  },
};
