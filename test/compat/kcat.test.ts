// kcat (librdkafka): produce and consume with every codec and acks mode, keys, headers, groups, metadata, offset queries.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { type BrokerProcess, startBroker } from '../support/broker.js';
import { compatSuite } from '../support/compat.js';
import { kcat } from '../support/kcat.js';

const suite = compatSuite('kcat');
const partitions = 3;
let broker: BrokerProcess;

before(async () => {
  broker = await startBroker({ properties: { 'num.partitions': String(partitions) } });
});
after(() => broker?.dispose());

async function produce(topic: string, lines: readonly string[], args: readonly string[] = []): Promise<void> {
  const result = await kcat(broker.bootstrap, ['-P', '-t', topic, ...args], { input: lines.map((l) => `${l}\n`).join('') });
  assert.equal(result.exitCode, 0, result.stderr);
  assert.doesNotMatch(result.stderr, /ERROR/);
}

/** Reads `count` records and returns what the format made of each. */
async function consume(topic: string, count: number, args: readonly string[], format = '%s\\n'): Promise<string[]> {
  const result = await kcat(
    broker.bootstrap,
    ['-C', '-t', topic, '-o', 'beginning', '-c', String(count), '-q', '-X', 'check.crcs=true', '-f', format, ...args],
    { timeoutMs: 30_000 },
  );
  assert.equal(result.exitCode, 0, result.stderr);
  return result.stdout.split('\n').slice(0, -1);
}

function lines(count: number, salt: string): string[] {
  return Array.from({ length: count }, (_, i) => `${salt}-${i}-${'abcdefgh'.repeat(1 + (i % 40))}`);
}

for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  for (const acks of ['0', '1', 'all']) {
    suite.test(`round trip with codec ${codec} and acks ${acks}`, async () => {
      const topic = `codec-${codec}-${acks}`;
      const sent = lines(200, topic);
      // The topic comes into being through auto-creation; with acks=0 only the count of what arrives tells.
      await produce(topic, sent, ['-p', '1', '-z', codec, '-X', `acks=${acks}`, '-X', 'linger.ms=20']);
      const read = await consume(topic, sent.length, ['-p', '1'], '%o %s\\n');
      assert.deepEqual(read, sent.map((line, i) => `${i} ${line}`));
    });
  }
}

suite.test('idempotent producer, all partitions', async () => {
  const sent = lines(900, 'idempotent');
  await produce('idempotent', sent, ['-X', 'enable.idempotence=true', '-X', 'sticky.partitioning.linger.ms=0']);
  const read = await consume('idempotent', sent.length, []);
  assert.deepEqual(read.sort(), [...sent].sort());
});

suite.test('keys, null values and headers', async () => {
  await produce('keyed', ['k1:v1', 'k2:', ':v3'], ['-p', '0', '-K:', '-Z', '-H', 'a=1', '-H', 'a=2', '-H', 'empty=']);
  const read = await consume('keyed', 3, ['-p', '0'], '%K %k %S %s %h\\n');
  assert.deepEqual(read, ['2 k1 2 v1 a=1,a=2,empty=', '2 k2 -1  a=1,a=2,empty=', '-1  2 v3 a=1,a=2,empty=']);
});

suite.test('metadata lists broker, topics and partitions', async () => {
  await produce('listed', ['x'], ['-p', '2']);
  const result = await kcat(broker.bootstrap, ['-L', '-J', '-t', 'listed']);
  assert.equal(result.exitCode, 0, result.stderr);
  const metadata = JSON.parse(result.stdout) as {
    controllerid: number;
    brokers: Array<{ id: number; name: string }>;
    topics: Array<{ topic: string; partitions: Array<{ partition: number; leader: number; isrs: Array<{ id: number }> }> }>;
  };
  assert.deepEqual(metadata.brokers, [{ id: 1, name: broker.bootstrap }]);
  assert.equal(metadata.controllerid, 1);
  const topic = metadata.topics.find((each) => each.topic === 'listed');
  assert.deepEqual(topic?.partitions.map((p) => p.partition), Array.from({ length: partitions }, (_, i) => i));
  for (const partition of topic?.partitions ?? []) {
    assert.equal(partition.leader, 1);
    assert.deepEqual(partition.isrs, [{ id: 1 }]);
  }
});

suite.test('offset queries: beginning, end, by time', async () => {
  await produce('offsets', lines(25, 'offsets'), ['-p', '0']);
  const offsetAt = async (timestamp: string): Promise<string> => {
    const result = await kcat(broker.bootstrap, ['-Q', '-t', `offsets:0:${timestamp}`]);
    assert.equal(result.exitCode, 0, result.stderr);
    return result.stdout.trim();
  };
  assert.equal(await offsetAt('-2'), 'offsets [0] offset 0');
  assert.equal(await offsetAt('-1'), 'offsets [0] offset 25');
  assert.equal(await offsetAt('1000'), 'offsets [0] offset 0');
  assert.equal(await offsetAt(String(Date.now() + 3_600_000)), 'offsets [0] offset -1');
});

suite.test('starting in the middle, from the tail and by time', async () => {
  const sent = lines(60, 'middle');
  await produce('middle', sent, ['-p', '0']);
  assert.deepEqual(await consume('middle', 3, ['-p', '0', '-o', '40']), sent.slice(40, 43));
  assert.deepEqual(await consume('middle', 5, ['-p', '0', '-o', '-5']), sent.slice(55));
  assert.deepEqual(await consume('middle', 60, ['-p', '0', '-o', 's@1000']), sent);
});

suite.test('a consumer group goes on where it stopped', async () => {
  const group = async (count: number): Promise<string[]> => {
    const result = await kcat(
      broker.bootstrap,
      ['-G', 'kcat-group', '-q', '-c', String(count), '-X', 'auto.offset.reset=earliest', '-f', '%s\\n', 'grouped'],
      { timeoutMs: 45_000 },
    );
    assert.equal(result.exitCode, 0, result.stderr);
    return result.stdout.split('\n').slice(0, -1);
  };
  const first = lines(10, 'first');
  await produce('grouped', first, ['-p', '0']);
  assert.deepEqual(await group(10), first);
  const second = lines(5, 'second');
  await produce('grouped', second, ['-p', '0']);
  assert.deepEqual(await group(5), second);
});

suite.test('a group reads all partitions', async () => {
  for (let p = 0; p < partitions; p += 1) await produce('spread', lines(20, `p${p}`), ['-p', String(p)]);
  const result = await kcat(
    broker.bootstrap,
    ['-G', 'spread-group', '-q', '-c', '60', '-X', 'auto.offset.reset=earliest', '-f', '%p %s\\n', 'spread'],
    { timeoutMs: 45_000 },
  );
  assert.equal(result.exitCode, 0, result.stderr);
  const expected = Array.from({ length: partitions }, (_, p) => lines(20, `p${p}`).map((line) => `${p} ${line}`)).flat();
  assert.deepEqual(result.stdout.split('\n').slice(0, -1).sort(), expected.sort());
});

suite.test('a large record passes and one that is too large is refused', async () => {
  const large = 'L'.repeat(900_000);
  await produce('large', [large], ['-p', '0']);
  assert.deepEqual(await consume('large', 1, ['-p', '0']), [large]);
  const refused = await kcat(
    broker.bootstrap,
    ['-P', '-t', 'large', '-p', '0', '-X', 'message.max.bytes=4000000', '-X', 'retries=0'],
    { input: `${'X'.repeat(1_500_000)}\n` },
  );
  assert.match(refused.stderr, /Message size too large/);
  assert.deepEqual(await consume('large', 1, ['-p', '0', '-o', '-1']), [large]);
});

suite.test('an offset out of range is reset', async () => {
  const sent = lines(5, 'reset');
  await produce('reset', sent, ['-p', '0']);
  const read = await consume('reset', 5, ['-p', '0', '-o', '1000', '-X', 'topic.auto.offset.reset=earliest']);
  assert.deepEqual(read, sent);
});
