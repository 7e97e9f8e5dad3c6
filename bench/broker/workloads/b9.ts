// B9: one producer, 1 and 32 consumers of the tail.
import { setTimeout as delay } from 'node:timers/promises';
import { type FigureKey } from '../../suite/measurement.js';
import { figuresOf, freshTopic, produceArguments, withTopic } from '../cases.js';
import { load, startLoad } from '../load.js';
import { usualMode, type Workload } from '../stage.js';

const CONSUMERS = [1, 32] as const;
const QUICK_CONSUMERS = [32] as const;
const RATE = 25;
const AHEAD_MS = 300;
const figures: readonly FigureKey[] = ['gbPerS', 'cpuSPerGb', 'clientShare'];

export const b9: Workload = {
  id: 'b9',
  title: 'B9: 25 MB/s to 1 and 32 consumers of the tail, 1 KiB records, 16 partitions',
  seconds: 50,
  onBare: false,
  isOnce: true,
  async run(stage) {
    if (!stage.clients.has('native')) return;
    const mode = usualMode(stage.target);
    for (const consumers of stage.effort.some(CONSUMERS, QUICK_CONSUMERS)) {
      await withTopic(stage, { name: freshTopic('b9'), partitions: 16, mode }, async (topic) => {
        const seconds = stage.effort.seconds(6);
        const shape = { recordSize: 1024, batchRecords: 16, depth: 100, rate: RATE };
        const producing = startLoad('produce', topic.port, produceArguments(topic, shape, seconds + 2));
        await delay(AHEAD_MS);
        const before = topic.cpuSeconds();
        // The broker's CPU for writing is in it too: it is the same for every number of consumers.
        const result = await load('tail', topic.port, {
          '--topic': topic.name, '--partitions': topic.partitions, '--consumers': consumers, '--seconds': seconds,
          '--record-size': shape.recordSize, '--batch-records': shape.batchRecords,
        });
        const cpuSeconds = topic.cpuSeconds() - before;
        await producing.result;
        stage.record({
          name: `${consumers} ${consumers === 1 ? 'consumer' : 'consumers'}, bytes out`, settings: 'batches of 16 KiB, fetch.min.bytes=1',
          mode, client: 'native', at: consumers,
          figures: figuresOf(result, cpuSeconds, figures),
        });
      });
    }
  },
};
