// DumpLogSegments over a data directory that clients of all codecs wrote to, after a clean stop: segments, indexes, producer
// snapshots, and the decoders of the two internal topics.
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { type BrokerProcess, startBroker } from '../support/broker.js';
import { compatSuite } from '../support/compat.js';
import { dump, type DumpedDirectory, filesOf, parseBatches, partitionFolders, validateDataDirectory } from '../support/dump-log.js';
import { kafkaTool } from '../support/java.js';
import { kcat } from '../support/kcat.js';
import { makeTempDirectory, removeDirectory } from '../support/temp.js';
import { assertNoDamage, verifyDirectory } from '../support/verify.js';

const suite = compatSuite('java-dump-log');
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const perCodec = 400;
let broker: BrokerProcess;
let dumped: DumpedDirectory;

before(async () => {
  broker = await startBroker();
  const tool = async (name: 'kafka-topics' | 'kafka-consumer-groups', ...args: string[]) => {
    const result = await kafkaTool(name, ['--bootstrap-server', broker.bootstrap, ...args]);
    assert.equal(result.exitCode, 0, result.stdout + result.stderr);
  };
  // Small segments and index intervals, so that there are several of each.
  await tool('kafka-topics', '--create', '--topic', 'dumped', '--partitions', '1', '--config', 'segment.bytes=1048576', '--config', 'index.interval.bytes=4096');
  for (const codec of codecs) {
    const input = Array.from({ length: perCodec }, (_, i) => `${codec} ${i} ${Math.random().toString(36).repeat(200)}\n`).join('');
    const sent = await kcat(broker.bootstrap, ['-P', '-t', 'dumped', '-p', '0', '-z', codec, '-X', 'enable.idempotence=true', '-X', 'batch.num.messages=20'], { input });
    assert.equal(sent.exitCode, 0, sent.stderr);
  }
  const read = await kcat(broker.bootstrap, ['-G', 'dump-group', '-q', '-c', String(perCodec * codecs.length), '-X', 'auto.offset.reset=earliest', '-f', '', 'dumped']);
  assert.equal(read.exitCode, 0, read.stderr);
  await broker.stop();
  dumped = await validateDataDirectory(broker.dataDirectory, broker.kind);
  await assertNoDamage(broker.dataDirectory, { clean: true });
});
after(() => broker?.dispose());

suite.test('every segment and index is valid, nothing is missing', async () => {
  const batches = dumped.batches.filter((batch) => batch.partition === 'dumped-0');
  assert.equal(batches.reduce((sum, batch) => sum + batch.count, 0), perCodec * codecs.length);
  assert.deepEqual([...new Set(batches.map((batch) => batch.codec))], codecs);
  assert.ok(batches.every((batch) => batch.isValid && batch.partitionLeaderEpoch === 0 && batch.producerId >= 0));
  assert.ok(filesOf(broker.dataDirectory, 'dumped-0', '.log').length > 1, 'the log never rolled');
  assert.ok(dumped.indexes > 2);
});

suite.test('producer snapshots name every producer', async () => {
  const snapshots = filesOf(broker.dataDirectory, 'dumped-0', '.snapshot');
  const last = await dump(snapshots.slice(-1));
  assert.equal(last.match(/^producerId: /gm)?.length, codecs.length, last);
});

suite.test('the offsets decoder reads __consumer_offsets', async () => {
  const folders = partitionFolders(broker.dataDirectory).filter((name) => name.startsWith('__consumer_offsets-'));
  assert.equal(folders.length, 50);
  const decoded = await dump(folders.flatMap((folder) => filesOf(broker.dataDirectory, folder, '.log')), '--offsets-decoder');
  const commits = decoded.split('\n').filter((line) => line.includes('"group":"dump-group","topic":"dumped","partition":0'));
  assert.match(commits.at(-1) ?? '', new RegExp(`payload: \\{"version":"[34]","data":\\{"offset":${perCodec * codecs.length},`));
  assert.match(decoded, /key: \{"type":"2","data":\{"group":"dump-group"\}\} payload: \{"version":"\d","data":\{"protocolType":"consumer","generation":1,/);
  assert.doesNotMatch(decoded, /Could not decode|unknown/i);
});

suite.test('the cluster metadata decoder reads __cluster_metadata', async () => {
  const decoded = await dump(filesOf(broker.dataDirectory, '__cluster_metadata-0', '.log'), '--cluster-metadata-decoder');
  const payloads = decoded.split('\n').flatMap((line) => {
    const at = line.indexOf(' payload: ');
    return at < 0 ? [] : [JSON.parse(line.slice(at + ' payload: '.length)) as { type: string; data: Record<string, unknown> }];
  });
  const topic = payloads.find((each) => each.type === 'TOPIC_RECORD' && each.data['name'] === 'dumped');
  assert.ok(topic !== undefined, decoded.slice(0, 4000));
  const partition = payloads.find((each) => each.type === 'PARTITION_RECORD' && each.data['topicId'] === topic.data['topicId']);
  assert.deepEqual(
    [partition?.data['partitionId'], partition?.data['replicas'], partition?.data['isr'], partition?.data['leader'], partition?.data['leaderEpoch']],
    [0, [1], [1], 1, 0],
  );
  const configs = payloads.filter((each) => each.type === 'CONFIG_RECORD' && each.data['resourceName'] === 'dumped');
  assert.deepEqual(
    configs.map((each) => [each.data['resourceType'], each.data['name'], each.data['value']]).sort(),
    [[2, 'index.interval.bytes', '4096'], [2, 'segment.bytes', '1048576']],
  );
  assert.ok(payloads.some((each) => each.type === 'REGISTER_BROKER_RECORD'));
  const metadataFile = readFileSync(join(broker.dataDirectory, 'dumped-0', 'partition.metadata'), 'utf8');
  assert.equal(metadataFile, `version: 0\ntopic_id: ${String(topic.data['topicId'])}`);
});

suite.test('the files of a data directory are the ones that Kafka writes', async () => {
  for (const name of ['meta.properties', '.kafka_cleanshutdown', 'recovery-point-offset-checkpoint', 'log-start-offset-checkpoint', 'replication-offset-checkpoint']) {
    assert.ok(existsSync(join(broker.dataDirectory, name)), name);
  }
  assert.match(readFileSync(join(broker.dataDirectory, 'recovery-point-offset-checkpoint'), 'utf8'), new RegExp(`^dumped 0 ${perCodec * codecs.length}$`, 'm'));
  assert.equal(readFileSync(join(broker.dataDirectory, 'dumped-0', 'leader-epoch-checkpoint'), 'utf8'), '0\n1\n0 0\n');
  const meta = readFileSync(join(broker.dataDirectory, 'meta.properties'), 'utf8');
  for (const line of [/^version=1$/m, /^node\.id=1$/m, /^cluster\.id=[A-Za-z0-9_-]{22}$/m, /^directory\.id=[A-Za-z0-9_-]{22}$/m]) assert.match(meta, line);
});

suite.test('the check itself finds a flipped byte', async () => {
  const copy = makeTempDirectory('flipped');
  try {
    mkdirSync(join(copy, 'dumped-0'));
    const [log] = filesOf(broker.dataDirectory, 'dumped-0', '.log');
    cpSync(log ?? '', join(copy, 'dumped-0', '00000000000000000000.log'));
    const file = openSync(join(copy, 'dumped-0', '00000000000000000000.log'), 'r+');
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, 2000);
    byte[0] = (byte[0] ?? 0) ^ 1;
    writeSync(file, byte, 0, 1, 2000);
    await assert.rejects(validateDataDirectory(copy, broker.kind));
    const damaged = parseBatches((await kafkaTool('kafka-dump-log', ['--files', join(copy, 'dumped-0', '00000000000000000000.log')])).stdout).filter((batch) => !batch.isValid);
    const { damages } = await verifyDirectory(copy);
    assert.deepEqual(damages.filter(({ file }) => file.endsWith('.log')).map(({ partition, position, what }) => [partition, position, what]),
      damaged.map(({ position, baseOffset, lastOffset }) => ['dumped-0', position, `batch CRC does not match, offsets ${baseOffset} to ${lastOffset}`]));
  } finally {
    removeDirectory(copy);
  }
});
