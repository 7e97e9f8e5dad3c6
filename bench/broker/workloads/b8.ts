// B8: one record a request, no linger.
import { type FigureKey } from '../../suite/measurement.js';
import { measureProduce } from '../cases.js';
import { type Workload } from '../stage.js';

const figures: readonly FigureKey[] = ['requestsPerS', 'cpuSPerMillion', 'p50Ms', 'p99Ms', 'p999Ms', 'clientShare'];

/** What a message queue's users compare; RocketMQ does it with its own client. */
export const WAITING_SENDERS = {
  name: '64 senders of 1 KiB that wait for each answer', settings: 'no linger; RocketMQ with its Java client', client: 'native', recordSize: 1024, connections: 64, seconds: 4, modes: ['fsync'],
} as const;

export const b8: Workload = {
  id: 'b8',
  title: 'B8: small requests, one record of 100 B each',
  seconds: 50,
  onBare: true,
  async run(stage) {
    const shape = { recordSize: 100, batchRecords: 1, seconds: 4, warmSeconds: 1, figures };
    await measureProduce(stage, {
      name: 'one connection, one in flight', settings: 'no linger', ...shape, partitions: 1, depth: 1, at: 1,
      bareWork: (mode) => (mode === 'fsync' ? 'journal' : 'receive'),
    });
    for (const depth of stage.effort.some([64], [])) {
      await measureProduce(stage, { name: `one connection, ${depth} in flight`, settings: 'no linger', ...shape, partitions: 1, depth });
    }
    await measureProduce(stage, { name: '64 connections, each one in flight', settings: 'no linger', ...shape, partitions: 16, depth: 1, connections: 64, at: 64 });
    for (const waiting of stage.effort.some([WAITING_SENDERS], [])) await measureProduce(stage, { ...shape, ...waiting, partitions: 16, depth: 1 });
  },
};
