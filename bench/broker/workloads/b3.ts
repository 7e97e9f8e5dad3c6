// B3: the same rate into 16 to 10,000 partitions, and what a start costs then.
import { type Mode } from '../../suite/measurement.js';
import { figuresOf, freshTopic, type ProduceCase, producePass, withTopic } from '../cases.js';
import { percentilesOf } from '../load.js';
import { type BrokerTarget } from '../broker-target.js';
import { type Stage, usualMode, type Workload } from '../stage.js';
import { restartAfterKill } from '../restart.js';

const PARTITIONS = [16, 1000, 10_000] as const;
const QUICK_PARTITIONS = [16, 200] as const;
const MANY = 1000;

function caseAt(partitions: number): ProduceCase {
  return {
    name: `${partitions.toLocaleString('en-US')} partitions`, settings: '10 MB/s in batches of 4 KiB', recordSize: 1024, batchRecords: 4, partitions, depth: 100, rate: 10,
    seconds: 6, warmSeconds: 3, figures: ['p50Ms', 'p99Ms', 'p999Ms', 'cpuSPerMillion'], at: partitions,
  };
}

async function measureAt(stage: Stage, broker: BrokerTarget, mode: Mode, partitions: number, andThen: (topic: string) => Promise<void>): Promise<void> {
  const of = caseAt(partitions);
  const common = { mode, client: 'native', at: partitions, settings: of.settings } as const;
  const startedAt = performance.now();
  await withTopic(stage, { name: freshTopic('b3'), partitions, mode }, async (topic) => {
    stage.record({ ...common, name: of.name, figures: { createMs: performance.now() - startedAt } });
    const first = await producePass(topic, of, stage.effort.seconds(4));
    if (partitions >= MANY) stage.record({ ...common, name: `first writes to a new topic of ${of.name}`, figures: figuresOf(first.result, first.cpuSeconds, ['p99Ms']) });
    const { result, cpuSeconds } = await producePass(topic, of, stage.effort.seconds(of.seconds));
    stage.record({
      ...common, name: of.name, ...percentilesOf(result),
      figures: { ...figuresOf(result, cpuSeconds, of.figures), rssMb: broker.rssMb(), descriptors: broker.descriptors(), maps: broker.maps() },
    });
    const fast = await producePass(topic, { ...of, batchRecords: 16, rate: undefined, depth: 20 }, stage.effort.seconds(3));
    stage.record({ ...common, name: `${of.name}, as fast as it goes`, settings: 'batches of 16 KiB', figures: figuresOf(fast.result, fast.cpuSeconds, ['mbPerS']) });
    await andThen(topic.name);
  });
}

export const b3: Workload = {
  id: 'b3',
  title: 'B3: 10 MB/s into 16 to 10,000 partitions, 1 KiB records',
  seconds: 350,
  onBare: false,
  isAlone: true,
  isOnce: true,
  async run(stage) {
    const { broker } = stage;
    if (broker === undefined || !stage.clients.has('native')) return;
    await broker.start();
    const mode = usualMode(broker);
    const all = stage.effort.some(PARTITIONS, QUICK_PARTITIONS);
    for (const partitions of all) {
      await measureAt(stage, broker, mode, partitions, async (topic) => {
        if (partitions !== all.at(-1)) return;
        const common = { mode, at: partitions, name: `with ${partitions.toLocaleString('en-US')} partitions` } as const;
        await broker.stop();
        stage.record({ ...common, figures: { startMs: await broker.start() } });
        stage.record({ ...common, figures: await restartAfterKill(broker, topic, partitions >> 1) });
      });
    }
  },
};
