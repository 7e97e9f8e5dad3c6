// B7: the table of Jay Kreps' "Benchmarking Apache Kafka: 2 Million Writes Per Second" (2014), row by row with the same tools: 100-byte records, six partitions.
import { type FigureKey } from '../../suite/measurement.js';
import { freshTopic, measureProduce, withTopic } from '../cases.js';
import { javaConsume, javaProduce, type JavaProduceCase } from '../java.js';
import { type Stage, type Workload } from '../stage.js';
import { type OpenTopic } from '../target.js';

const PARTITIONS = 6;
const RECORD = 100;
const SETTINGS = 'acks=all, batch.size 8196';

/** What was published: a cluster of three machines with six disks each, the row without replication where there is one, else asynchronous. */
const PUBLISHED: Readonly<Record<string, number>> = {
  'one producer': 821_557,
  'three producers': 2_024_032,
  'one consumer': 940_521,
  'producer and consumer': 795_064,
};

const produceCase: JavaProduceCase = {
  name: 'one producer', recordSize: RECORD, partitions: PARTITIONS, lingerMs: 0, batchBytes: 8196, seconds: 5, settings: SETTINGS,
  figures: ['recordsPerS', 'mbPerS', 'cpuSPerGb', 'clientShare'],
};

async function javaRows(stage: Stage, topic: OpenTopic): Promise<void> {
  const { effort } = stage;
  const report = (name: string, figures: Partial<Record<FigureKey, number>>) => stage.record({ name, mode: 'os', client: 'java', settings: SETTINGS, figures });
  const warm = await javaProduce(topic, produceCase, effort.count(1_000_000));
  const records = Math.max(20_000, Math.round(warm.recordsPerS * effort.seconds(produceCase.seconds)));
  const one = await javaProduce(topic, produceCase, records);
  report('one producer', one.figures);
  report('one consumer', await javaConsume(topic, records, RECORD));
  const three = await Promise.all([1, 2, 3].map(() => javaProduce(topic, produceCase, Math.round(records / 2))));
  const sum = three.reduce((total, each) => total + each.recordsPerS, 0);
  report('three producers', { recordsPerS: sum, mbPerS: (sum * RECORD) / 1e6 });
  // The consumer starts at the beginning and the producer goes on at the end, as in the original.
  const [both, consumed] = await Promise.all([javaProduce(topic, produceCase, records), javaConsume(topic, records, RECORD)]);
  report('producer and consumer', { recordsPerS: Math.min(both.recordsPerS, consumed.recordsPerS ?? both.recordsPerS) });
}

export const b7: Workload = {
  id: 'b7',
  title: "B7: Kreps' table of 2014, 100-byte records, six partitions",
  seconds: 120,
  onBare: true,
  isOnce: true,
  async run(stage) {
    await measureProduce(stage, {
      name: 'one producer', settings: 'batches of 8 KiB, 5 in flight', recordSize: RECORD, batchRecords: 75, partitions: PARTITIONS, depth: 5, seconds: 5, warmSeconds: 2,
      figures: ['recordsPerS', 'mbPerS', 'cpuSPerGb', 'clientShare'],
    });
    if (stage.broker === undefined || !stage.clients.has('java')) return;
    if (stage.broker.side === 'sluice') {
      for (const [name, recordsPerS] of Object.entries(PUBLISHED)) stage.record({ name, mode: 'os', client: 'java', settings: SETTINGS, side: 'published in 2014', figures: { recordsPerS } });
    }
    // What was published was not synced either.
    await withTopic(stage, { name: freshTopic('b7'), partitions: PARTITIONS, mode: 'os', retainBytes: 24e9 }, (topic) => javaRows(stage, topic));
  },
};
