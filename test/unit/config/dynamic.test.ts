import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defaultConfig } from '../../../src/config/broker-config.js';
import { describeBrokerConfigs, describeBrokerDefaults, describeTopicConfigs } from '../../../src/config/describe.js';
import { brokerProblem, configResources, configRules } from '../../../src/config/dynamic.js';
import { TopicValues, topicProblem } from '../../../src/config/topic-values.js';

const { settings } = defaultConfig();
const map = (entries: Record<string, string>): Map<string, string> => new Map(Object.entries(entries));

describe('what a broker can be changed to while it runs', () => {
  const problem = (entries: Record<string, string>, isDefaults = false): string | null => brokerProblem(map(entries), settings, { isDefaults });

  test('settings that are dynamic, and those that nobody knows', () => {
    assert.equal(problem({ 'log.retention.ms': '1000', 'message.max.bytes': '5', 'some.plugin': 'x' }), null);
    assert.equal(problem({ 'log.retention.ms': '1000' }, true), null);
  });

  test('not what is read only, per broker, per listener, bound once, invalid or senseless', () => {
    assert.equal(problem({ 'num.partitions': '2' }), 'Cannot update these configs dynamically: [num.partitions]');
    assert.match(problem({ 'sasl.login.refresh.buffer.seconds': '300' }, true) ?? '', /default cluster level, broker id must be specified/);
    assert.match(problem({ 'ssl.keystore.location': '/x' }) ?? '', /only per-listener using the listener prefix/);
    assert.match(problem({ 'listener.name.plaintext.ssl.keystore.location': '/x' }) ?? '', /cannot change these while it runs/);
    assert.match(problem({ listeners: 'PLAINTEXT://:1' }) ?? '', /cannot change these while it runs: listeners/);
    assert.match(problem({ 'principal.builder.class': 'x.Y' }) ?? '', /does not serve/);
    assert.match(problem({ 'log.retention.ms': 'x' }) ?? '', /Not a number of type LONG/);
    assert.match(problem({ 'log.retention.ms': '0' }) ?? '', /^requirement failed: log.retention.ms must be unlimited/);
  });
});

describe('what a topic can have', () => {
  test('its own settings, checked one by one and together', () => {
    assert.equal(topicProblem(map({ 'retention.ms': '-1', 'cleanup.policy': 'compact,delete', 'sluice.durability': 'os' }), settings), null);
    assert.equal(topicProblem(map({ 'no.such': '1' }), settings), 'Unknown topic config name: no.such');
    assert.match(topicProblem(map({ 'segment.bytes': '1' }), settings) ?? '', /at least 1048576/);
    assert.match(topicProblem(map({ 'min.compaction.lag.ms': '9', 'max.compaction.lag.ms': '8' }), settings) ?? '', /conflict/);
    assert.match(topicProblem(map({ 'remote.storage.enable': 'true' }), settings) ?? '', /no remote storage/);
    assert.match(topicProblem(map({ 'sluice.durability': 'sometimes' }), settings) ?? '', /one of: fsync, os/);
  });

  test('durability: its own, the broker\'s, and one message between flushes means fsync', () => {
    const lazy = settings.withDynamic(map({}), map({}));
    const broker = new TopicValues(map({}), lazy);
    assert.equal(broker.durability(), 'fsync');
    assert.equal(new TopicValues(map({ 'sluice.durability': 'os' }), lazy).durability(), 'os');
    assert.equal(new TopicValues(map({ 'sluice.durability': 'os', 'flush.messages': '1' }), lazy).durability(), 'fsync');
    assert.equal(new TopicValues(map({ 'sluice.durability': 'os', 'flush.messages': '2' }), lazy).durability(), 'os');
  });

  test('follows the broker\'s settings as they change', () => {
    const changed = settings.withDynamic(map({ 'message.max.bytes': '7' }), map({ 'message.max.bytes': '5', 'log.retention.ms': '9' }));
    const topic = new TopicValues(map({ 'segment.bytes': '2000000' }), changed);
    assert.deepEqual([topic.get('max.message.bytes'), topic.get('retention.ms'), topic.segmentBytes()], [7, 9, 2_000_000]);
  });
});

describe('what is told of settings', () => {
  const changed = settings.withDynamic(map({ 'message.max.bytes': '7', 'no.such': 'x' }), map({ 'message.max.bytes': '5' }));

  test('a broker\'s: what counts first', () => {
    const described = new Map(describeBrokerConfigs(changed).map((each) => [each.name, each]));
    assert.deepEqual(described.get('message.max.bytes')?.synonyms, [
      { name: 'message.max.bytes', value: '7', source: 2 }, { name: 'message.max.bytes', value: '5', source: 3 },
      { name: 'message.max.bytes', value: '1048588', source: 5 },
    ]);
    assert.equal(described.get('message.max.bytes')?.value, '7');
    assert.equal(described.get('log.dirs')?.source, 4);
    assert.equal(described.get('listeners')?.readOnly, true);
    assert.deepEqual([described.get('no.such')?.value, described.get('no.such')?.isSensitive], [null, true]);
    assert.equal(described.get('sluice.durability')?.value, 'fsync');
    assert.deepEqual(describeBrokerDefaults(changed).map(({ name, value, source }) => [name, value, source]), [['message.max.bytes', '5', 3]]);
  });

  test('a topic\'s: its own, then the broker\'s', () => {
    const described = new Map(describeTopicConfigs(map({ 'max.message.bytes': ' 99 ' }), changed).map((each) => [each.name, each]));
    assert.deepEqual(described.get('max.message.bytes')?.synonyms.map(({ value, source }) => [value, source]), [['99', 1], ['7', 2], ['5', 3], ['1048588', 5]]);
    assert.equal(described.get('segment.bytes')?.source, 5);
    assert.equal(described.has('internal.segment.bytes'), false);
  });
});

test('rules for the controller', () => {
  // What the broker has makes no difference to what is appended to.
  const rules = configRules(1, () => settings.withDynamic(map({ 'log.cleanup.policy': 'compact' }), map({})));
  const { topic, broker } = configResources;
  assert.deepEqual([rules.isList(topic, 'cleanup.policy'), rules.isList(topic, 'segment.bytes'), rules.isList(topic, 'no.such')], [true, false, undefined]);
  assert.deepEqual([rules.isList(broker, 'log.cleanup.policy'), rules.isList(broker, 'no.such')], [true, undefined]);
  assert.deepEqual([rules.inherited(topic, 'cleanup.policy'), rules.inherited(broker, 'log.cleanup.policy'), rules.inherited(topic, 'no.such')], ['delete', 'delete', null]);
  assert.equal(rules.problem(topic, 't', map({ 'segment.bytes': '2000000' })), null);
  assert.match(rules.problem(broker, '', map({ 'node.id': '2' })) ?? '', /Cannot update/);
});
