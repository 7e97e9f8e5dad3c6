// What each client writes, in every codec, each other one reads: librdkafka, the Python and the Go clients and Java's on one topic.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before } from 'node:test';
import { type BrokerProcess, startBroker } from '../support/broker.js';
import { compatSuite } from '../support/compat.js';
import { goProgram } from '../support/go.js';
import { JavaClients } from '../support/java-clients.js';
import { run } from '../support/process.js';
import { pythonProgram } from '../support/python.js';
import { type Program } from '../support/scenarios.js';

const candidates = {
  aiokafka: await pythonProgram('aiokafka_client'),
  'confluent-kafka': await pythonProgram('confluent_client'),
  'kafka-python': await pythonProgram('kafka_python_client'),
  'franz-go': await goProgram('franz'),
  'kafka-go': await goProgram('segmentio'),
  sarama: await goProgram('sarama'),
};
/** Those that this machine can run; the test file of each says why it cannot. */
const programs = Object.entries(candidates).filter((entry): entry is [string, Program] => !('missing' in entry[1]));
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const topic = 'exchanged';
const suite = compatSuite('exchange-between-clients');
let broker: BrokerProcess;
let java: JavaClients;

before(async () => {
  broker = await startBroker();
  java = await JavaClients.start(broker.bootstrap);
  await java.create('Admin', 'admin');
});
after(async () => {
  await java?.close();
  await broker?.dispose();
});

function texts(salt: string): string[] {
  return Array.from({ length: 100 }, (_, i) => `${salt} ${i} ${'abc '.repeat(i % 40)}`);
}

async function call(program: Program, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run(program.command, [...program.args, broker.bootstrap, ...args], program.env === undefined ? {} : { env: program.env });
  assert.equal(exitCode, 0, stderr);
  return stdout;
}

suite.test('every codec of every client is read by every other', async () => {
  await java.call('admin', 'createTopics', { topics: [{ name: topic, partitions: 1, replication: 1 }] });
  const expected: string[] = [];
  for (const [name, program] of programs) {
    await call(program, 'write', topic, name);
    for (const codec of codecs) expected.push(...texts(`${name} ${codec}`));
  }
  for (const codec of codecs) {
    await java.create('Producer', codec, { 'compression.type': codec, 'linger.ms': '20' });
    const values = texts(`java ${codec}`);
    await java.call(codec, 'send', { topic, records: values.map((value) => ({ partition: 0, value })) });
    expected.push(...values);
  }
  await java.create('Consumer', 'reader', { 'auto.offset.reset': 'earliest' });
  await java.call('reader', 'assign', { partitions: [`${topic}-0`] });
  const byJava = await java.call<Array<{ value: string }>>('reader', 'poll', { count: expected.length });
  assert.deepEqual(byJava.map((each) => each.value), expected);
  const digest = createHash('sha256').update(expected.join('\n')).digest('hex');
  for (const [name, program] of programs) {
    assert.equal((await call(program, 'read', topic, String(expected.length))).trim(), `sha256 ${digest}`, `what ${name} read`);
  }
});
