// B4: kill -9 with 10 GB in 1,000 partitions.
import { freshTopic, withTopic } from '../cases.js';
import { load } from '../load.js';
import { restartAfterKill } from '../restart.js';
import { usualMode, type Workload } from '../stage.js';

export const b4: Workload = {
  id: 'b4',
  title: 'B4: kill -9 with 10 GB in 1,000 partitions',
  seconds: 150,
  onBare: false,
  isAlone: true,
  isOnce: true,
  async run(stage) {
    const { broker, effort } = stage;
    if (broker === undefined || !stage.clients.has('native')) return;
    await broker.start();
    const mode = usualMode(broker);
    const partitions = effort.isQuick ? 100 : 1000;
    const bytes = effort.bytes(10e9);
    await withTopic(stage, { name: freshTopic('b4'), partitions, mode, retainBytes: 64e9 }, async (topic) => {
      const shape = { '--topic': topic.name, '--partitions': partitions, '--record-size': 1024, '--batch-records': 900 };
      await load('produce', topic.port, { ...shape, '--bytes': bytes }, { timeoutMs: 900_000 });
      const figures = await restartAfterKill(broker, topic.name, partitions >> 1);
      const name = `${(bytes / 1e9).toFixed(1)} GB in ${partitions.toLocaleString('en-US')} partitions, in the page cache`;
      stage.record({ name, mode, settings: '1 KiB records', figures });
    });
  },
};
