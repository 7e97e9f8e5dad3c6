// Snapshots of the metadata log between Sluice and Apache Kafka: Kafka's tool reads Sluice's, and each broker goes on from a directory whose log begins
// behind a snapshot of the other.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startBroker, type TargetKind } from '../support/broker.js';
import { compatSuite } from '../support/compat.js';
import { filesOf } from '../support/dump-log.js';
import { kafkaTool } from '../support/java.js';
import { listTopicsRaw, createTopicRaw } from '../support/raw-client.js';
import { makeTempDirectory, removeDirectory } from '../support/temp.js';
import { assertNoDamage } from '../support/verify.js';

const suite = compatSuite('metadata-snapshots');
const FOLDER = '__cluster_metadata-0';
/** For Sluice: Kafka takes no such small segments. */
const properties = {
  'metadata.log.max.record.bytes.between.snapshots': '3000',
  'metadata.max.retention.bytes': '20000',
  'internal.metadata.log.segment.bytes': '24000',
};

function snapshotsIn(data: string): string[] {
  return readdirSync(join(data, FOLDER)).filter((name) => /^\d{20}-\d{10}\.checkpoint$/.test(name)).sort();
}

suite.test('Sluice trims its metadata log behind snapshots, and Kafka reads them and goes on', async (context) => {
  if (process.env['SLUICE_COMPAT_TARGET'] === 'kafka') return context.skip('needs Sluice');
  const work = makeTempDirectory('snapshots');
  context.after(() => removeDirectory(work));
  const data = join(work, 'data');
  const topics = new Map<string, number>();
  const turn = async (kind: TargetKind, added: readonly string[]): Promise<void> => {
    const broker = await startBroker({ kind, dataDirectory: data, properties: kind === 'sluice' ? properties : {}, startTimeoutMs: 120_000 });
    try {
      assert.deepEqual(new Map([...await listTopicsRaw(broker.port)].sort()), new Map([...topics].sort()), `${kind} finds the topics`);
      for (const topic of added) {
        const partitions = 1;
        await createTopicRaw(broker.port, topic, partitions);
        topics.set(topic, partitions);
      }
      // Kafka answers before its own broker has heard of the topic.
      while ((await listTopicsRaw(broker.port)).size < topics.size) await delay(20);
      assert.deepEqual(new Map([...await listTopicsRaw(broker.port)].sort()), new Map([...topics].sort()));
      await broker.stop();
      await assertNoDamage(data, { clean: true });
    } finally {
      await broker.dispose();
    }
  };
  await turn('sluice', Array.from({ length: 300 }, (_, i) => `first.${i}`));
  const snapshots = snapshotsIn(data);
  assert.ok(snapshots.length > 0);
  const begin = Number(filesOf(data, FOLDER, '.log')[0]!.slice(-24, -4));
  assert.ok(begin > 100, `the log begins at ${begin}`);
  assert.ok(begin <= Number(snapshots.at(-1)!.slice(0, 20)));
  const newest = join(data, FOLDER, snapshots.at(-1)!);
  const { stdout, exitCode } = await kafkaTool('kafka-dump-log', ['--cluster-metadata-decoder', '--files', newest], { timeoutMs: 60_000 });
  assert.equal(exitCode, 0);
  assert.doesNotMatch(stdout, /isvalid: false|Exception/);
  assert.match(stdout, /SnapshotHeader/);
  assert.match(stdout, /SnapshotFooter/);
  assert.match(stdout, /"name":"first\.0"/);

  await turn('sluice', ['second']);
  await turn('kafka', ['third', 'fourth']);
  await turn('sluice', ['fifth']);
  await turn('kafka', []);
}, { timeoutMs: 400_000 });
