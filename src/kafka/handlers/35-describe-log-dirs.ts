// DescribeLogDirs, versions 1-5: what lies in the log directory and how large it is. 3: an error for the request as a
// whole. 4: the size of the disk. 5: whether the directory takes no new partitions, which is never so here.
import { statfs } from 'node:fs/promises';
import { describeLogDirsApi } from '../../protocol/messages/35-describe-log-dirs.js';
import { errorCode } from '../../protocol/errors.js';
import { topicById } from '../../metadata/image.js';
import { type RequestOf } from '../../protocol/api.js';
import { defineHandler } from '../registry.js';
import { type BrokerServices, type LogDescription } from '../services.js';

type Request = RequestOf<typeof describeLogDirsApi>;

function isAskedFor({ topics }: Request): (topic: string, partition: number) => boolean {
  if (topics === null) return () => true;
  const wanted = new Map<string, Set<number>>();
  for (const { topic, partitions } of topics) {
    const set = wanted.get(topic) ?? new Set();
    for (const partition of partitions) set.add(partition);
    wanted.set(topic, set);
  }
  return (topic, partition) => wanted.get(topic)?.has(partition) === true;
}

function groupByTopic(logs: readonly LogDescription[], request: Request, broker: BrokerServices) {
  const wants = isAskedFor(request);
  const topics = new Map<string, { partitionIndex: number; partitionSize: bigint; offsetLag: bigint; isFutureKey: boolean }[]>();
  for (const { topicId, partition, sizeBytes } of logs) {
    const name = topicById(broker.metadata.image, topicId)?.name;
    if (name === undefined || !wants(name, partition)) continue;
    const list = topics.get(name) ?? [];
    list.push({ partitionIndex: partition, partitionSize: sizeBytes, offsetLag: 0n, isFutureKey: false });
    topics.set(name, list);
  }
  return [...topics].map(([name, partitions]) => ({ name, partitions }));
}

export const describeLogDirsHandler = defineHandler({
  api: describeLogDirsApi,
  async handle(request, { broker }) {
    const { logDir } = broker.config;
    const disk = await statfs(logDir, { bigint: true }).catch(() => null);
    if (disk === null) return { results: [{ errorCode: errorCode('KAFKA_STORAGE_ERROR'), logDir, topics: [] }] };
    return {
      errorCode: 0,
      results: [{
        errorCode: 0,
        logDir,
        topics: groupByTopic(await broker.engine.describeLogs(), request, broker),
        totalBytes: disk.blocks * disk.bsize,
        usableBytes: disk.bavail * disk.bsize,
        isCordoned: false,
      }],
    };
  },
  failed(_request, { code }) {
    return { errorCode: code, results: [] };
  },
});
