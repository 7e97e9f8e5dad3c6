// What compaction costs its neighbours: a producer beside one that writes the same keys over and over, into a log that keeps all and into one that is compacted meanwhile.
import { type FigureKey } from '../../suite/measurement.js';
import { figuresOf, freshTopic, producePass, withTopic } from '../cases.js';
import { percentilesOf, startLoad } from '../load.js';
import { usualMode, type Workload } from '../stage.js';
import { LINGERING, lingering } from './b1.js';

const RATE = 20;
const KEYED = { partitions: 4, rate: 50, keys: 10_000 };
const COMPACTED = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.1', 'segment.bytes': String(16 << 20) };
const figures: readonly FigureKey[] = ['p50Ms', 'p99Ms', 'p999Ms'];

export const compaction: Workload = {
  id: 'compaction',
  title: 'Compaction: 20 MB/s of producing beside 50 MB/s of 40,000 keys over and over, 1 KiB records',
  seconds: 135,
  onBare: false,
  isAlone: true,
  isOnce: true,
  async run(stage) {
    const { broker, effort } = stage;
    if (broker === undefined || !stage.clients.has('native')) return;
    await broker.start();
    const mode = usualMode(broker);
    const seconds = effort.seconds(20), warmSeconds = effort.warmSeconds(3);
    for (const [name, configs] of [['beside a log that is kept', {}], ['beside a log that is compacted', COMPACTED]] as const) {
      await withTopic(stage, { name: freshTopic('keyed'), partitions: KEYED.partitions, mode, retainBytes: 64e9, configs }, async (keyed) => {
        await withTopic(stage, { name: freshTopic('compaction'), partitions: 16, mode }, async (topic) => {
          const beside = startLoad('produce', keyed.port, {
            '--topic': keyed.name, '--partitions': KEYED.partitions, '--record-size': 1024, '--batch-records': 60, '--keys': KEYED.keys, '--depth': 20,
            '--rate': KEYED.rate, '--seconds': seconds + warmSeconds + 1,
          });
          await producePass(topic, lingering(RATE), warmSeconds);
          const { result, cpuSeconds } = await producePass(topic, lingering(RATE), seconds);
          await beside.result;
          stage.record({
            name, mode, client: 'native', settings: LINGERING, figures: { ...figuresOf(result, cpuSeconds, figures), diskMb: broker.topicBytes(keyed.name) / 1e6 },
            ...percentilesOf(result),
          });
        });
      });
    }
  },
};
