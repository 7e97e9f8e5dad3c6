// B8: one record a request, no linger.
import { type FigureKey } from '../../suite/measurement.js';
import { measureProduce } from '../cases.js';
import { type Workload } from '../stage.js';

const figures: readonly FigureKey[] = ['requestsPerS', 'cpuSPerMillion', 'p50Ms', 'p99Ms', 'p999Ms', 'clientShare'];

/** What a message queue's users compare; RocketMQ does it with its own client. */
export const WAITING_SENDERS = {
  name: '64 senders of 1 KiB that wait for each answer', settings: 'no linger; RocketMQ with its Java client', client: 'native', recordSize: 1024, connections: 64, seconds: 5,
} as const;

export const b8: Workload = {
  id: 'b8',
  title: 'B8: small requests, one record of 100 B each',
  seconds: 65,
  onBare: true,
  async run(stage) {
    const shape = { recordSize: 100, batchRecords: 1, warmSeconds: 1, figures };
    await measureProduce(stage, {
      name: 'one connection, one in flight', settings: 'no linger', ...shape, partitions: 1, depth: 1, seconds: 5, at: 1,
      bareWork: (mode) => (mode === 'fsync' ? 'journal' : 'receive'),
    });
    for (const depth of stage.effort.some([64], [])) {
      await measureProduce(stage, { name: `one connection, ${depth} in flight`, settings: 'no linger', ...shape, partitions: 1, depth, seconds: 5 });
    }
    for (const connections of stage.effort.some([64, 100], [64])) {
      await measureProduce(stage, {
        name: `${connections} connections, each one in flight`, settings: 'no linger', ...shape, partitions: 16, depth: 1, connections, seconds: 5, at: connections,
      });
    }
    for (const { name, settings, recordSize, connections, seconds } of stage.effort.some([WAITING_SENDERS], [])) {
      await measureProduce(stage, { ...shape, name, settings, recordSize, connections, seconds, partitions: 16, depth: 1 });
    }
  },
};
