// B5: start and memory.
import { setTimeout as delay } from 'node:timers/promises';
import { freshTopic, withTopic } from '../cases.js';
import { load } from '../load.js';
import { usualMode, type Workload } from '../stage.js';

const IDLE_MS = 1500;

export const b5: Workload = {
  id: 'b5',
  title: 'B5: start and memory',
  seconds: 62,
  onBare: false,
  isAlone: true,
  isOnce: true,
  async run(stage) {
    const { broker, effort } = stage;
    if (broker === undefined) return;
    stage.record({ name: 'an empty directory', figures: { startMs: await broker.start() } });
    await delay(IDLE_MS);
    stage.record({ name: 'idle', figures: { rssMb: broker.rssMb() } });
    if (stage.clients.has('native')) {
      const bytes = effort.bytes(2e9);
      await withTopic(stage, { name: freshTopic('b5'), partitions: 16, mode: usualMode(broker) }, async (topic) => {
        const shape = { '--topic': topic.name, '--partitions': 16, '--record-size': 1024, '--batch-records': 60 };
        await load('produce', topic.port, { ...shape, '--bytes': bytes });
        await load('fetch', topic.port, shape);
        stage.record({ name: `after ${(bytes / 1e9).toFixed(1)} GB in and out`, figures: { rssMb: broker.rssMb(), peakRssMb: broker.peakRssMb() } });
      });
    }
    await broker.stop();
    stage.record({ name: 'the same directory again', figures: { startMs: await broker.start() } });
  },
};
