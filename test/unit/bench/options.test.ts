import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NAMES, parseOptions, UsageError } from '../../../bench/options.js';

test('B1 to B10 and what comes first, beside Kafka, when nothing is named', () => {
  const options = parseOptions([]);
  assert.deepEqual(options.chosen, NAMES.filter((each) => each !== 'compaction'));
  assert.deepEqual(options.peers, ['kafka']);
  assert.deepEqual([...options.clients], ['native', 'java']);
});

test('a quick run leaves out what needs time, unless it is named', () => {
  const options = parseOptions(['--quick']);
  assert.deepEqual([...options.clients], ['native']);
  assert.deepEqual(options.chosen, NAMES.filter((each) => !['b2', 'b4', 'b7', 'b9', 'compaction'].includes(each)));
  assert.deepEqual(parseOptions(['--quick', 'b7', 'b1']).chosen, ['b1', 'b7']);
});

test('what is named, in the order of the suite', () => {
  const options = parseOptions(['b8', 'B1', '--peer', 'kafka,rocketmq', '--minutes', '2', '--clients', 'native,kafkajs', '--sluice', 'a.b=c=d']);
  assert.deepEqual(options.chosen, ['b1', 'b8']);
  assert.deepEqual(options.peers, ['kafka', 'rocketmq']);
  assert.equal(options.minutes, 2);
  assert.deepEqual([...options.clients], ['native', 'kafkajs']);
  assert.deepEqual(options.properties.sluice, { 'a.b': 'c=d' });
  assert.deepEqual(parseOptions(['--peer', 'none']).peers, []);
});

test('what does not exist is named', () => {
  assert.throws(() => parseOptions(['b11']), (error) => error instanceof UsageError && /'b11' is no workload/.test(error.message));
  assert.throws(() => parseOptions(['--peer', 'pulsar']), UsageError);
  assert.throws(() => parseOptions(['--minutes', '0']), UsageError);
  assert.throws(() => parseOptions(['--nonsense']), UsageError);
  assert.throws(() => parseOptions(['--kafka', 'x']), UsageError);
});
