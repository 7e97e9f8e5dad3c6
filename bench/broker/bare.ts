// The bare limit as a target: sluice-bare, started fresh for every topic with the work that the topic's mode means.
import { repositoryRoot } from '../../test/support/paths.js';
import { BackgroundProcess } from '../../test/support/process.js';
import { freePort, makeTempDirectory, removeDirectory } from '../../test/support/temp.js';
import { bareProgram } from './load.js';
import { type OpenTopic, type Target, type TopicRequest } from './target.js';

export class BareTarget implements Target {
  readonly side = 'bare';
  readonly modes = ['os', 'fsync'] as const;
  readonly directory: string;

  constructor() {
    this.directory = makeTempDirectory('bare');
  }

  async open(topic: TopicRequest): Promise<OpenTopic> {
    const directory = makeTempDirectory('bare');
    const port = await freePort();
    const args = ['--port', String(port), '--directory', directory];
    const work = topic.bareWork ?? (topic.mode === 'fsync' ? 'journal' : 'write');
    if (typeof work === 'string') args.push('--work', work);
    else args.push('--fetch-bytes', String(work.fetchBytes), '--record-size', String(work.recordSize), '--batch-records', String(work.batchRecords));
    const server = new BackgroundProcess(bareProgram, args, { cwd: repositoryRoot });
    await new Promise<void>((resolve, reject) => {
      server.onLine((line) => line === 'ready' && resolve());
      server.exited().then(() => reject(new Error(`sluice-bare ended: ${server.output}`)), reject);
    });
    return {
      name: 'bare',
      partitions: typeof work === 'string' ? topic.partitions : 1,
      port,
      cpuSeconds: () => server.cpuSeconds(),
      async close() {
        await server.stop('SIGKILL');
        removeDirectory(directory);
      },
    };
  }

  dispose(): void {
    removeDirectory(this.directory);
  }
}
