// kill -9 under Apache Kafka's own idempotent producer with acks=all: nothing acknowledged is lost or doubled, and after the last
// clean stop DumpLogSegments finds every file valid. SLUICE_ROUNDS sets the number of crashes, SLUICE_SEED the moments.
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { startBroker } from '../support/broker.js';
import { compatSuite } from '../support/compat.js';
import { assertNothingLost, roundsWanted, seededRandom } from '../support/crash-check.js';
import { validateDataDirectory } from '../support/dump-log.js';
import { startJava } from '../support/java.js';
import { createTopicRaw } from '../support/raw-client.js';

const suite = compatSuite('java-kill9');
const partitions = 4;

suite.test('kill -9 under an idempotent producer', async (context) => {
  const random = seededRandom('java-kill9');
  const rounds = roundsWanted();
  const broker = await startBroker();
  context.after(() => broker.dispose());
  await createTopicRaw(broker.port, 'crash', partitions);
  const producer = await startJava('LoopProducer', [broker.bootstrap, 'crash', String(partitions)]);
  context.after(() => producer.stop('SIGKILL'));
  const counts = Array<number>(partitions).fill(0);
  const acknowledged = () => counts.reduce((sum, count) => sum + count, 0);
  const failures: string[] = [];
  const progress = new EventEmitter();
  producer.onLine((line) => {
    // Partition, number and offset, which is not known (-1) when the broker only said that it has the batch already.
    const [partition = NaN, sequence = NaN, offset] = (/^(\d+) (\d+) (-?\d+)$/.exec(line)?.slice(1) ?? []).map(Number);
    if (sequence === counts[partition] && (offset === sequence || offset === -1)) counts[partition] = sequence + 1;
    else if (line !== 'done') failures.push(line);
    progress.emit('line');
  });
  const reached = async (count: number) => {
    while (acknowledged() < count) {
      if (producer.hasExited) throw new Error(`the producer ended: ${producer.output.slice(-2000)}`);
      await Promise.race([once(progress, 'line'), producer.exited()]);
    }
  };
  for (let round = 0; round < rounds; round += 1) {
    await reached(acknowledged() + 200 + Math.floor(random() * 5000));
    await broker.kill9();
    await broker.start();
    await assertNothingLost(broker.port, 'crash', counts);
  }
  await reached(acknowledged() + 100);
  producer.endInput();
  assert.equal((await producer.exited()).code, 0, producer.output.slice(-2000));
  assert.deepEqual(failures.slice(0, 5), []);
  const found = await assertNothingLost(broker.port, 'crash', counts);
  assert.equal(found, acknowledged());
  await broker.stop();
  const dumped = await validateDataDirectory(broker.dataDirectory, broker.kind);
  const count = dumped.batches.filter((batch) => batch.partition.startsWith('crash-')).reduce((sum, batch) => sum + batch.count, 0);
  assert.equal(count, found);
}, { timeoutMs: 900_000 });
