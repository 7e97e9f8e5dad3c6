// Apache Kafka's command line tools. Expected text is what they print against Apache Kafka 4.4.0 itself; ids, times and ports
// are masked.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { type BrokerProcess, startBroker } from '../support/broker.js';
import { compatSuite } from '../support/compat.js';
import { type KafkaTool, kafkaTool } from '../support/java.js';
import { kcat } from '../support/kcat.js';
import { type RunResult } from '../support/process.js';
import { makeTempDirectory, removeDirectory } from '../support/temp.js';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const suite = compatSuite('java-tools');
let broker: BrokerProcess;
let temp: string;

before(async () => {
  temp = makeTempDirectory('tools');
  broker = await startBroker();
});
after(async () => {
  await broker?.dispose();
  removeDirectory(temp);
});

function run(tool: KafkaTool, args: readonly string[], input?: string): Promise<RunResult> {
  return kafkaTool(tool, ['--bootstrap-server', broker.bootstrap, ...args], input === undefined ? {} : { input });
}

function mask(text: string): string {
  return text
    .replaceAll(/TopicId: [A-Za-z0-9_-]{22}/g, 'TopicId: ID')
    .replaceAll(broker.bootstrap, 'BROKER')
    .replaceAll(/^ *WARNING: Due to limitations in metric names.*\n/gm, '');
}

/** Runs and returns standard output, masked; the exit code must be 0. */
async function ok(tool: KafkaTool, args: readonly string[], input?: string): Promise<string> {
  const result = await run(tool, args, input);
  assert.equal(result.exitCode, 0, `${tool} ${args.join(' ')}\n${result.stdout}${result.stderr}`);
  return mask(result.stdout);
}

/** The table a tool prints, as rows of cells. */
function rows(text: string): string[][] {
  return text.split('\n').map((line) => line.trim()).filter((line) => line !== '').map((line) => line.split(/\s+/));
}

async function createTopic(name: string, partitions = 1, ...args: string[]): Promise<void> {
  assert.equal(await ok('kafka-topics', ['--create', '--topic', name, '--partitions', String(partitions), ...args]), `Created topic ${name}.\n`);
}

async function fill(topic: string, count: number, partition = 0): Promise<void> {
  const input = Array.from({ length: count }, (_, i) => `${i}\n`).join('');
  const result = await kcat(broker.bootstrap, ['-P', '-t', topic, '-p', String(partition)], { input });
  assert.equal(result.exitCode, 0, result.stderr);
}

suite.test('kafka-topics: create, describe, list, alter, delete', async () => {
  await createTopic('seed', 3, '--config', 'max.message.bytes=2000000');
  assert.equal(
    await ok('kafka-topics', ['--describe', '--topic', 'seed']),
    [
      'Topic: seed\tTopicId: ID\tPartitionCount: 3\tReplicationFactor: 1\tConfigs: min.insync.replicas=1,max.message.bytes=2000000',
      ...[0, 1, 2].map((p) => `\tTopic: seed\tPartition: ${p}\tLeader: 1\tReplicas: 1\tIsr: 1\tElr: \tLastKnownElr: `),
      '',
    ].join('\n'),
  );
  assert.match(await ok('kafka-topics', ['--list']), /^seed$/m);
  assert.equal(await ok('kafka-topics', ['--alter', '--topic', 'seed', '--partitions', '4']), '');
  assert.match(await ok('kafka-topics', ['--describe', '--topic', 'seed']), /PartitionCount: 4\t/);
  assert.equal(await ok('kafka-topics', ['--describe', '--unavailable-partitions']), '');
  assert.equal(await ok('kafka-topics', ['--describe', '--under-replicated-partitions']), '');
  assert.equal(await ok('kafka-topics', ['--delete', '--topic', 'seed']), '');
  assert.doesNotMatch(await ok('kafka-topics', ['--list']), /^seed$/m);
});

suite.test('kafka-topics: what fails says why', async () => {
  await createTopic('exists');
  const fails = async (args: string[], message: RegExp) => {
    const result = await run('kafka-topics', args);
    assert.equal(result.exitCode, 1);
    assert.match(result.stdout, message);
  };
  await fails(['--create', '--topic', 'exists'], /^Error while executing topic command : Topic 'exists' already exists\.$/m);
  await fails(['--create', '--topic', 'wide', '--replication-factor', '2'], /Unable to replicate the partition 2 time\(s\)/);
  await fails(['--create', '--topic', 'odd', '--config', 'retention.ms=x'], /Invalid value x for configuration retention\.ms/);
  await fails(['--describe', '--topic', 'absent'], /Topic 'absent' does not exist as expected/);
  await fails(['--alter', '--topic', 'exists', '--partitions', '1'], /Topic already has 1 partition/);
});

suite.test('console producer and consumer with every codec, keys and a group; the lag is 0', async () => {
  await createTopic('console', 3);
  const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
  for (const codec of codecs) {
    const input = Array.from({ length: 20 }, (_, i) => `key${i}:${codec} ${i}\n`).join('');
    await ok('kafka-console-producer', ['--topic', 'console', '--compression-codec', codec, '--reader-property', 'parse.key=true', '--reader-property', 'key.separator=:'], input);
  }
  const read = await run('kafka-console-consumer', [
    ...['--topic', 'console', '--from-beginning', '--group', 'console-group', '--max-messages', '100', '--timeout-ms', '20000'],
    ...['--formatter-property', 'print.key=true'],
  ]);
  assert.equal(read.exitCode, 0, read.stderr);
  assert.match(read.stderr, /Processed a total of 100 messages/);
  const expected = codecs.flatMap((codec) => Array.from({ length: 20 }, (_, i) => `key${i}\t${codec} ${i}`));
  assert.deepEqual(read.stdout.trimEnd().split('\n').sort(), expected.sort());
  const [header, ...table] = rows(await ok('kafka-consumer-groups', ['--describe', '--group', 'console-group']));
  assert.deepEqual(header, ['GROUP', 'TOPIC', 'PARTITION', 'CURRENT-OFFSET', 'LOG-END-OFFSET', 'LAG', 'CONSUMER-ID', 'HOST', 'CLIENT-ID']);
  assert.deepEqual(table.map((row) => row[2]), ['0', '1', '2']);
  for (const [group, topic, , current, end, lag, ...member] of table) {
    assert.deepEqual([group, topic, lag, ...member], ['console-group', 'console', '0', '-', '-', '-']);
    assert.equal(current, end);
  }
  assert.equal(table.reduce((sum, row) => sum + Number(row[4]), 0), 100);
});

suite.test('kafka-consumer-groups: list, state, members, reset, delete', async () => {
  await createTopic('grouped', 2);
  await fill('grouped', 10);
  const read = await run('kafka-console-consumer', ['--topic', 'grouped', '--from-beginning', '--group', 'tooled', '--max-messages', '10', '--timeout-ms', '20000']);
  assert.equal(read.exitCode, 0, read.stderr);
  assert.ok(rows(await ok('kafka-consumer-groups', ['--list', '--state'])).some((row) => row.join(' ') === 'tooled Empty'));
  assert.deepEqual(rows(await ok('kafka-consumer-groups', ['--describe', '--group', 'tooled', '--state'])), [
    ['GROUP', 'COORDINATOR', '(ID)', 'ASSIGNMENT-STRATEGY', 'STATE', '#MEMBERS'],
    ['tooled', 'BROKER', '(1)', '-', 'Empty', '0'],
  ]);
  assert.equal(rows(await ok('kafka-consumer-groups', ['--describe', '--group', 'tooled', '--members', '--verbose'])).length, 1);
  const reset = (...args: string[]) => ok('kafka-consumer-groups', ['--reset-offsets', '--group', 'tooled', '--topic', 'grouped:0', ...args]);
  const target = async (...args: string[]) => rows(await reset(...args))[1];
  assert.deepEqual(await target('--to-earliest', '--dry-run'), ['tooled', 'grouped', '0', '0']);
  assert.deepEqual(await target('--shift-by', '-3', '--execute'), ['tooled', 'grouped', '0', '7']);
  assert.deepEqual(await target('--to-offset', '4', '--execute'), ['tooled', 'grouped', '0', '4']);
  assert.deepEqual(await target('--to-datetime', '2000-01-01T00:00:00.000', '--execute'), ['tooled', 'grouped', '0', '0']);
  const described = rows(await ok('kafka-consumer-groups', ['--describe', '--group', 'tooled']));
  assert.deepEqual(described[1]?.slice(2, 6), ['0', '0', '10', '10']);
  assert.deepEqual(rows(await ok('kafka-consumer-groups', ['--delete-offsets', '--group', 'tooled', '--topic', 'grouped:0'])).at(-1), ['grouped', '0', 'Successful']);
  assert.equal((await ok('kafka-consumer-groups', ['--delete', '--group', 'tooled'])).trim(), "Deletion of requested consumer groups ('tooled') was successful.");
  assert.match(await ok('kafka-consumer-groups', ['--describe', '--group', 'tooled']), /GroupIdNotFoundException: Group tooled not found\./);
  assert.doesNotMatch(await ok('kafka-groups', ['--list']), /tooled/);
});

suite.test('kafka-configs: topic and broker', async () => {
  await createTopic('tuned', 1, '--config', 'max.message.bytes=2000000');
  const topic = ['--entity-type', 'topics', '--entity-name', 'tuned'];
  const line = 'max.message.bytes=2000000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:max.message.bytes=2000000, DEFAULT_CONFIG:message.max.bytes=1048588}';
  assert.equal(await ok('kafka-configs', [...topic, '--describe']), `Dynamic configs for topic tuned are:\n  ${line}\n`);
  assert.equal(await ok('kafka-configs', [...topic, '--alter', '--add-config', 'retention.ms=1000']), 'Completed updating config for topic tuned.\n');
  assert.equal(
    await ok('kafka-configs', [...topic, '--describe']),
    `Dynamic configs for topic tuned are:\n  ${line}\n  retention.ms=1000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=1000}\n`,
  );
  await ok('kafka-configs', [...topic, '--alter', '--delete-config', 'retention.ms']);
  assert.doesNotMatch(await ok('kafka-configs', [...topic, '--describe']), /retention\.ms/);
  const all = await ok('kafka-configs', [...topic, '--describe', '--all']);
  assert.match(all, /^ {2}segment\.bytes=1073741824 sensitive=false synonyms=\{DEFAULT_CONFIG:log\.segment\.bytes=1073741824\}$/m);
  const node = ['--entity-type', 'brokers', '--entity-name', '1'];
  assert.equal(await ok('kafka-configs', [...node, '--alter', '--add-config', 'log.retention.ms=777000']), 'Completed updating config for broker 1.\n');
  assert.equal(
    await ok('kafka-configs', [...node, '--describe']),
    'Dynamic configs for broker 1 are:\n  log.retention.ms=777000 sensitive=false synonyms={DYNAMIC_BROKER_CONFIG:log.retention.ms=777000, DEFAULT_CONFIG:log.retention.hours=168}\n',
  );
  await ok('kafka-configs', [...node, '--alter', '--delete-config', 'log.retention.ms']);
});

suite.test('kafka-get-offsets and kafka-delete-records', async () => {
  await createTopic('measured', 2);
  await fill('measured', 12, 1);
  assert.equal(await ok('kafka-get-offsets', ['--topic', 'measured']), 'measured:0:0\nmeasured:1:12\n');
  const plan = join(temp, 'delete.json');
  writeFileSync(plan, JSON.stringify({ version: 1, partitions: [{ topic: 'measured', partition: 1, offset: 5 }] }));
  assert.match(await ok('kafka-delete-records', ['--offset-json-file', plan]), /partition: measured-1\s+low_watermark: 5/);
  assert.equal(await ok('kafka-get-offsets', ['--topic', 'measured', '--time', 'earliest']), 'measured:0:0\nmeasured:1:5\n');
});

suite.test('kafka-log-dirs', async () => {
  await createTopic('weighed', 2);
  await fill('weighed', 100, 1);
  const json = (await ok('kafka-log-dirs', ['--describe', '--topic-list', 'weighed'])).trim().split('\n').at(-1) ?? '';
  const answer = JSON.parse(json) as {
    version: number;
    brokers: Array<{ broker: number; logDirs: Array<{ logDir: string; error: null; partitions: Array<{ partition: string; size: number; offsetLag: number; isFuture: boolean }> }> }>;
  };
  assert.deepEqual(answer.brokers.map((each) => each.broker), [1]);
  const directory = answer.brokers[0]?.logDirs[0];
  assert.deepEqual([directory?.logDir, directory?.error], [broker.dataDirectory, null]);
  const partitions = [...(directory?.partitions ?? [])].sort((a, b) => a.partition.localeCompare(b.partition));
  assert.deepEqual(partitions.map((each) => [each.partition, each.size > 0, each.offsetLag, each.isFuture]), [
    ['weighed-0', false, 0, false],
    ['weighed-1', true, 0, false],
  ]);
});

/** What a Kafka 4.4.0 broker offers for each API that is served, as kafka-broker-api-versions prints it. */
const servedApis = [
  ...['Produce(0): 0 to 13', 'Fetch(1): 4 to 18', 'ListOffsets(2): 1 to 11', 'Metadata(3): 0 to 13', 'OffsetCommit(8): 2 to 10'],
  ...['OffsetFetch(9): 1 to 10', 'FindCoordinator(10): 0 to 6', 'JoinGroup(11): 0 to 9', 'Heartbeat(12): 0 to 4', 'LeaveGroup(13): 0 to 5'],
  ...['SyncGroup(14): 0 to 5', 'DescribeGroups(15): 0 to 6', 'ListGroups(16): 0 to 5', 'CreateTopics(19): 2 to 7'],
  ...['DeleteTopics(20): 1 to 6', 'DeleteRecords(21): 0 to 2', 'InitProducerId(22): 0 to 5', 'OffsetForLeaderEpoch(23): 2 to 4'],
  ...['DescribeConfigs(32): 1 to 4', 'AlterConfigs(33): 0 to 2', 'DescribeLogDirs(35): 1 to 5', 'CreatePartitions(37): 0 to 3'],
  ...['DeleteGroups(42): 0 to 3', 'IncrementalAlterConfigs(44): 0 to 1', 'OffsetDelete(47): 0', 'DescribeCluster(60): 0 to 2'],
  ...['ListConfigResources(74): 0 to 1', 'DescribeTopicPartitions(75): 0'],
];

suite.test('kafka-broker-api-versions', async () => {
  const printed = await ok('kafka-broker-api-versions', []);
  assert.match(printed, /^BROKER \(id: 1 rack: null isFenced: false\) -> \($/m);
  for (const api of servedApis) assert.ok(printed.includes(`\t${api} [usable: `), `${api} is not in\n${printed}`);
});

suite.test('perf tools, end-to-end latency and the verifiable clients', async () => {
  await createTopic('fast', 2);
  const produced = await kafkaTool('kafka-producer-perf-test', [
    ...['--topic', 'fast', '--num-records', '20000', '--record-size', '100', '--throughput', '-1'],
    ...['--command-property', `bootstrap.servers=${broker.bootstrap}`],
  ]);
  assert.equal(produced.exitCode, 0, produced.stderr);
  assert.match(produced.stdout, /^20000 records sent/m);
  const consumed = await ok('kafka-consumer-perf-test', ['--topic', 'fast', '--num-records', '20000']);
  assert.equal(consumed.trim().split('\n').at(-1)?.split(', ')[4], '20000');
  await createTopic('echo');
  const latency = await kafkaTool('kafka-e2e-latency', [
    ...['--bootstrap-server', broker.bootstrap, '--topic', 'echo', '--num-records', '50', '--producer-acks', 'all', '--record-size', '100'],
  ]);
  assert.equal(latency.exitCode, 0, latency.stderr);
  assert.match(latency.stdout, /^Avg latency: /m);
  const verified = await ok('kafka-verifiable-producer', ['--topic', 'echo', '--max-messages', '20']);
  assert.match(verified, /"sent":20,"acked":20/);
});
