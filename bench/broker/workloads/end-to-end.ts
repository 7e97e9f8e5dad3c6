// One record from its intended time of sending to a consumer that waits for it.
import { type FigureKey } from '../../suite/measurement.js';
import { figuresOf, freshTopic, measureProduce, withTopic } from '../cases.js';
import { measureJavaEndToEnd } from '../java.js';
import { load, percentilesOf } from '../load.js';
import { modesOfTurn, type Workload } from '../stage.js';

const figures: readonly FigureKey[] = ['p50Ms', 'p99Ms', 'p999Ms', 'meanMs'];

export const endToEnd: Workload = {
  id: 'e2e',
  title: 'End to end, one record of 100 B at a time',
  seconds: 35,
  onBare: true,
  async run(stage) {
    if (stage.broker === undefined) {
      // Its limit: a ping-pong, and in mode fsync one journal write in it.
      return measureProduce(stage, {
        name: 'producer to waiting consumer', settings: 'one in flight', recordSize: 100, batchRecords: 1, partitions: 1, depth: 1, seconds: 5, warmSeconds: 1, figures,
        bareWork: (mode) => (mode === 'fsync' ? 'journal' : 'receive'),
      });
    }
    for (const mode of modesOfTurn(stage)) {
      if (!stage.clients.has('native')) break;
      await withTopic(stage, { name: freshTopic('e2e'), partitions: 1, mode }, async (topic) => {
        const run = (count: number) => load('e2e', topic.port, { '--topic': topic.name, '--count': count, '--record-size': 100 });
        await run(stage.effort.count(5_000));
        const result = await run(stage.effort.count(20_000));
        stage.record({
          name: 'producer to waiting consumer', mode, client: 'native', settings: 'one in flight', figures: figuresOf(result, 0, figures),
          ...percentilesOf(result),
        });
      });
    }
    await measureJavaEndToEnd(stage, { name: 'kafka-e2e-latency', records: stage.effort.count(6_000) });
  },
};
