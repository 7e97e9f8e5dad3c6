// B2: 50 MB/s of producing, alone and beside a reader of a backlog that was not read before and is not in memory.
import { type FigureKey } from '../../suite/measurement.js';
import { figuresOf, freshTopic, producePass, withTopic } from '../cases.js';
import { load, percentilesOf, startLoad } from '../load.js';
import { MemoryLimit } from '../page-cache.js';
import { usualMode, type Workload } from '../stage.js';
import { LINGERING, lingering } from './b1.js';

const RATE = 50;
const BACKLOG = { recordSize: 1024, batchRecords: 900 };
/** Far less than the backlog, and enough for the tail of what is written. */
const MEMORY_LIMIT = 2e9;
const SECONDS = 15;
const WARM_SECONDS = 3;
const figures: readonly FigureKey[] = ['p50Ms', 'p99Ms', 'p999Ms', 'clientShare'];

export const b2: Workload = {
  id: 'b2',
  title: 'B2: 50 MB/s of producing beside a cold reader, 1 KiB records, 16 partitions',
  seconds: 175,
  onBare: false,
  isAlone: true,
  isOnce: true,
  async run(stage) {
    const { broker, effort } = stage;
    if (broker === undefined || !stage.clients.has('native')) return;
    await broker.start();
    const mode = usualMode(broker);
    const bytes = effort.bytes(10e9);
    await withTopic(stage, { name: freshTopic('b2-backlog'), partitions: 16, mode: 'os', retainBytes: 64e9 }, async (backlog) => {
      const reading = { '--topic': backlog.name, '--partitions': backlog.partitions, '--record-size': BACKLOG.recordSize, '--batch-records': BACKLOG.batchRecords };
      await load('produce', backlog.port, { ...reading, '--bytes': bytes }, { timeoutMs: 600_000 });
      await withTopic(stage, { name: freshTopic('b2'), partitions: 16, mode }, async (topic) => {
        await producePass(topic, lingering(RATE), effort.warmSeconds(WARM_SECONDS));
        await load('forget', topic.port, { '--directory': broker.directory });
        const limit = MemoryLimit.tryToPut(broker.pid, MEMORY_LIMIT);
        if (limit === undefined) stage.say('no memory cgroup here: the backlog is only dropped from the page cache once');
        try {
          const alone = await producePass(topic, lingering(RATE), effort.seconds(SECONDS));
          const common = { mode, client: 'native', settings: LINGERING } as const;
          const report = (name: string, { result, cpuSeconds }: typeof alone, more: Partial<Record<FigureKey, number>> = {}) =>
            stage.record({ ...common, name, figures: { ...figuresOf(result, cpuSeconds, figures), ...more }, ...percentilesOf(result) });
          report('alone', alone);
          const reader = startLoad('fetch', topic.port, reading);
          const beside = await producePass(topic, lingering(RATE), effort.seconds(SECONDS / 2));
          const read = await reader.result;
          report('beside the reader', beside, { readerMbPerS: read.mb_per_s });
          if (read.seconds < beside.result.seconds) stage.say(`the reader was through after ${read.seconds.toFixed(1)} of ${beside.result.seconds.toFixed(1)} s`);
        } finally {
          limit?.release();
        }
      });
    });
  },
};
