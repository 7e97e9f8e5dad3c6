// DescribeConfigs (32), AlterConfigs (33), IncrementalAlterConfigs (44), ListConfigResources (74): one shows what another changed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorName } from '../../src/protocol/errors.js';
import { alterConfigsApi } from '../../src/protocol/messages/33-alter-configs.js';
import { describeConfigsApi } from '../../src/protocol/messages/32-describe-configs.js';
import { incrementalAlterConfigsApi } from '../../src/protocol/messages/44-incremental-alter-configs.js';
import { listConfigResourcesApi } from '../../src/protocol/messages/74-list-config-resources.js';
import { makeTopic, topicName } from './support/names.js';
import { type Target, startTarget } from './support/target.js';

const [TOPIC, BROKER, LOGGER] = [2, 4, 8];
const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3];
const sources = { topic: 1, dynamicBroker: 2, dynamicDefault: 3, static: 4, default: 5 };

let target: Target;
before(async () => {
  target = await startTarget();
});
after(() => target.stop());

async function describe(resourceType: number, resourceName: string, configurationKeys: string[] | null = null, version = 4) {
  const { results } = await target.ask(describeConfigsApi, version, {
    resources: [{ resourceType, resourceName, configurationKeys }], includeSynonyms: true, includeDocumentation: version >= 3,
  });
  const [result] = results;
  return { error: errorName(result!.errorCode), message: result!.errorMessage, configs: new Map(result!.configs.map((config) => [config.name, config])) };
}

type Op = readonly [name: string, operation: number, value: string | null];

async function change(resourceType: number, resourceName: string, ops: readonly Op[], validateOnly = false) {
  const { responses } = await target.ask(incrementalAlterConfigsApi, 1, {
    resources: [{ resourceType, resourceName, configs: ops.map(([name, configOperation, value]) => ({ name, configOperation, value })) }],
    validateOnly,
  });
  return `${errorName(responses[0]!.errorCode)}: ${responses[0]!.errorMessage}`;
}

/** Kafka's brokers take over a change a little later. */
async function value(resourceType: number, resourceName: string, name: string, expected: (config: { value: string | null; configSource: number } | undefined) => boolean) {
  for (let i = 0; ; i += 1) {
    const config = (await describe(resourceType, resourceName, [name])).configs.get(name);
    if (expected(config) || target.kind !== 'kafka' || i > 500) return config;
  }
}

test('a topic tells all its settings, with defaults, types, synonyms and documentation, in every version', async () => {
  const { name } = await makeTopic(target, 'configs', { configs: { 'max.message.bytes': '2000000' } });
  for (const version of [1, 2, 3, 4]) {
    const { error, configs } = await describe(TOPIC, name, null, version);
    assert.equal(error, 'NONE');
    assert.ok(configs.size >= 30);
    const changed = configs.get('max.message.bytes')!;
    assert.deepEqual(
      { value: changed.value, source: changed.configSource, readOnly: changed.readOnly, isSensitive: changed.isSensitive },
      { value: '2000000', source: sources.topic, readOnly: false, isSensitive: false },
    );
    assert.deepEqual(changed.synonyms.map(({ name: told, value: text, source }) => ({ told, text, source })), [
      { told: 'max.message.bytes', text: '2000000', source: sources.topic },
      { told: 'message.max.bytes', text: '1048588', source: sources.default },
    ]);
    assert.equal(changed.configType, version >= 3 ? 3 : 0);
    if (version >= 3) assert.ok(changed.documentation!.length > 20);
    const plain = configs.get('cleanup.policy')!;
    assert.deepEqual([plain.value, plain.configSource], ['delete', sources.default]);
    assert.equal(configs.get('retention.ms')!.value, '604800000');
  }
});

test('Kafka\'s settings of a topic are all told, with Kafka\'s defaults', async () => {
  const { name } = await makeTopic(target);
  const { configs } = await describe(TOPIC, name);
  const told = Object.fromEntries([...configs].filter(([key]) => !key.startsWith('sluice.')).map(([key, config]) => [key, config.value]));
  assert.deepEqual(told, {
    'cleanup.policy': 'delete', 'compression.gzip.level': '-1', 'compression.lz4.level': '9', 'compression.type': 'producer',
    'compression.zstd.level': '3', 'delete.retention.ms': '86400000', 'errors.deadletterqueue.group.enable': 'false',
    'file.delete.delay.ms': '60000', 'flush.messages': '9223372036854775807', 'flush.ms': '9223372036854775807',
    'follower.replication.throttled.replicas': '', 'index.interval.bytes': '4096', 'leader.replication.throttled.replicas': '',
    'local.retention.bytes': '-2', 'local.retention.ms': '-2', 'max.compaction.lag.ms': '9223372036854775807',
    'max.decompressed.message.bytes': '2147483639', 'max.message.bytes': '1048588', 'message.timestamp.after.max.ms': '3600000',
    'message.timestamp.before.max.ms': '9223372036854775807', 'message.timestamp.type': 'CreateTime', 'min.cleanable.dirty.ratio': '0.5',
    'min.compaction.lag.ms': '0', 'min.insync.replicas': '1', preallocate: 'false', 'remote.copy.lag.bytes': '-1',
    'remote.copy.lag.ms': '0', 'remote.log.copy.disable': 'false', 'remote.log.delete.on.disable': 'false', 'remote.storage.enable': 'false',
    'retention.bytes': '-1', 'retention.ms': '604800000', 'segment.bytes': '1073741824', 'segment.index.bytes': '10485760',
    'segment.jitter.ms': '0', 'segment.ms': '604800000', 'unclean.leader.election.enable': 'false',
  });
});

test('only the settings that were asked for', async () => {
  const { name } = await makeTopic(target);
  const { configs } = await describe(TOPIC, name, ['retention.ms', 'no.such.setting']);
  assert.deepEqual([...configs.keys()], ['retention.ms']);
});

test('a broker tells its settings', async () => {
  const { error, configs } = await describe(BROKER, '1');
  assert.equal(error, 'NONE');
  assert.ok(configs.size > 200);
  const id = configs.get('node.id')!;
  assert.deepEqual([id.value, id.readOnly, id.configSource], ['1', true, sources.static]);
  const retention = configs.get('log.retention.hours')!;
  assert.deepEqual([retention.value, retention.configSource], ['168', sources.default]);
});

test('topics and brokers that are not there, and resources of other kinds', async () => {
  assert.equal((await describe(TOPIC, topicName('missing'))).error, 'UNKNOWN_TOPIC_OR_PARTITION');
  assert.equal((await describe(TOPIC, 'no spaces')).error, 'INVALID_TOPIC_EXCEPTION');
  const other = await describe(BROKER, '7');
  assert.equal(`${other.error}: ${other.message}`, 'INVALID_REQUEST: Unexpected broker id, expected 1 or empty string, but received 7');
  const word = await describe(BROKER, 'seven');
  assert.equal(`${word.error}: ${word.message}`, 'INVALID_REQUEST: Broker id must be an integer, but it is: seven');
  assert.equal((await describe(99, 'x')).error, 'INVALID_REQUEST');
  if (target.kind === 'kafka') return;
  for (const [type, name] of [[LOGGER, '1'], [16, 'x'], [32, 'x']] as const) assert.equal((await describe(type, name)).error, 'INVALID_REQUEST');
});

test('setting and deleting an override of a topic', async () => {
  const { name } = await makeTopic(target);
  assert.equal(await change(TOPIC, name, [['retention.ms', SET, '1234'], ['segment.bytes', SET, '2000000']]), 'NONE: null');
  assert.equal((await value(TOPIC, name, 'retention.ms', (config) => config?.value === '1234'))?.value, '1234');
  assert.equal(await change(TOPIC, name, [['retention.ms', DELETE, null]]), 'NONE: null');
  const retention = await value(TOPIC, name, 'retention.ms', (config) => config?.value === '604800000');
  assert.deepEqual([retention?.value, retention?.configSource], ['604800000', sources.default]);
  assert.equal((await value(TOPIC, name, 'segment.bytes', () => true))?.value, '2000000');
});

test('lists: append and subtract', async () => {
  const { name } = await makeTopic(target);
  assert.equal(await change(TOPIC, name, [['cleanup.policy', APPEND, 'compact']]), 'NONE: null');
  assert.equal((await value(TOPIC, name, 'cleanup.policy', (config) => config?.value === 'delete,compact'))?.value, 'delete,compact');
  assert.equal(await change(TOPIC, name, [['cleanup.policy', SUBTRACT, 'delete']]), 'NONE: null');
  assert.equal((await value(TOPIC, name, 'cleanup.policy', (config) => config?.value === 'compact'))?.value, 'compact');
  assert.match(await change(TOPIC, name, [['retention.ms', APPEND, '1']]), /^INVALID_CONFIG: Can't APPEND to key retention.ms because its type is not LIST\.$/);
});

test('changes that are refused, in Kafka\'s words', async () => {
  const { name } = await makeTopic(target);
  assert.match(await change(TOPIC, name, [['retention.ms', SET, 'x']]), /^INVALID_CONFIG: Invalid value x for configuration retention.ms: Not a number of type LONG/);
  assert.match(await change(TOPIC, name, [['nonsense', SET, 'x']]), /^INVALID_CONFIG: Unknown topic config name: nonsense/);
  assert.equal(await change(TOPIC, name, [['retention.ms', SET, '1'], ['retention.ms', SET, '2']]), 'INVALID_REQUEST: Error due to duplicate config keys');
  assert.equal(await change(TOPIC, name, [['retention.ms', SET, null]]), 'INVALID_REQUEST: Null value not supported for : retention.ms');
  assert.match(await change(TOPIC, topicName('missing'), [['retention.ms', SET, '1']]), /^UNKNOWN_TOPIC_OR_PARTITION: /);
  assert.match(await change(TOPIC, '', [['retention.ms', SET, '1']]), /^INVALID_REQUEST: Default topic resources are not allowed\.$/);
  assert.equal(await change(BROKER, '7', [['log.retention.ms', SET, '1']]), 'INVALID_REQUEST: Unexpected broker id, expected 1, but received 7');
  assert.match(await change(BROKER, '1', [['node.id', SET, '2']]), /^INVALID_REQUEST: Cannot update these configs dynamically: /);
  assert.match(await change(99, 'x', [['a', SET, '1']]), /^INVALID_REQUEST: Unknown resource type 99/);
  if (target.kind !== 'kafka') assert.match(await change(LOGGER, '1', [['root', SET, 'DEBUG']]), /^INVALID_REQUEST: /);
});

test('a resource twice in one request', async () => {
  const { name } = await makeTopic(target);
  const resource = (key: string) => ({ resourceType: TOPIC, resourceName: name, configs: [{ name: key, configOperation: SET, value: '1000' }] });
  const { responses } = await target.ask(incrementalAlterConfigsApi, 1, { resources: [resource('retention.ms'), resource('segment.ms')] });
  assert.deepEqual(responses.map(({ errorCode, errorMessage }) => `${errorName(errorCode)}: ${errorMessage}`), [
    'INVALID_REQUEST: Each resource must appear at most once.', 'INVALID_REQUEST: Each resource must appear at most once.',
  ]);
});

test('validating only changes nothing', async () => {
  const { name } = await makeTopic(target);
  assert.equal(await change(TOPIC, name, [['retention.ms', SET, '1']], true), 'NONE: null');
  assert.match(await change(TOPIC, name, [['retention.ms', SET, 'x']], true), /^INVALID_CONFIG: /);
  assert.equal((await value(TOPIC, name, 'retention.ms', () => true))?.value, '604800000');
});

test('AlterConfigs replaces all overrides', async () => {
  const { name } = await makeTopic(target, 'alter', { configs: { 'retention.ms': '5000', 'segment.ms': '6000' } });
  for (const version of [0, 1, 2]) {
    const { responses } = await target.ask(alterConfigsApi, version, {
      resources: [{ resourceType: TOPIC, resourceName: name, configs: [{ name: 'segment.ms', value: String(7000 + version) }] }],
    });
    assert.deepEqual(responses.map(({ errorCode, errorMessage, resourceName }) => ({ errorCode, errorMessage, resourceName })), [
      { errorCode: 0, errorMessage: null, resourceName: name },
    ]);
  }
  assert.equal((await value(TOPIC, name, 'segment.ms', (config) => config?.value === '7002'))?.value, '7002');
  assert.equal((await value(TOPIC, name, 'retention.ms', (config) => config?.value === '604800000'))?.value, '604800000');
});

test('settings of one broker and of all brokers are told with their sources, and topics inherit them', async () => {
  const { name } = await makeTopic(target);
  assert.equal(await change(BROKER, '', [['log.retention.ms', SET, '111000']]), 'NONE: null');
  const asDefault = await value(BROKER, '', 'log.retention.ms', (config) => config?.value === '111000');
  assert.deepEqual([asDefault?.value, asDefault?.configSource], ['111000', sources.dynamicDefault]);
  assert.equal(await change(BROKER, '1', [['log.retention.ms', SET, '222000']]), 'NONE: null');
  const own = await value(BROKER, '1', 'log.retention.ms', (config) => config?.value === '222000');
  assert.deepEqual([own?.value, own?.configSource], ['222000', sources.dynamicBroker]);
  const inherited = await value(TOPIC, name, 'retention.ms', (config) => config?.value === '222000');
  assert.deepEqual([inherited?.value, inherited?.configSource], ['222000', sources.dynamicBroker]);
  assert.equal(await change(BROKER, '1', [['log.retention.ms', DELETE, null]]), 'NONE: null');
  assert.equal(await change(BROKER, '', [['log.retention.ms', DELETE, null]]), 'NONE: null');
  assert.equal((await value(TOPIC, name, 'retention.ms', (config) => config?.value === '604800000'))?.value, '604800000');
});

test('the durability of a topic is a setting of its own', async (context) => {
  if (target.kind === 'kafka') return context.skip('Apache Kafka does not have it');
  const { name } = await makeTopic(target);
  assert.equal((await value(TOPIC, name, 'sluice.durability', () => true))?.value, 'fsync');
  assert.equal(await change(TOPIC, name, [['sluice.durability', SET, 'os']]), 'NONE: null');
  assert.equal((await value(TOPIC, name, 'sluice.durability', () => true))?.value, 'os');
  assert.match(await change(TOPIC, name, [['sluice.durability', SET, 'maybe']]), /^INVALID_CONFIG: /);
});

test('the resources that have settings', async () => {
  const { name } = await makeTopic(target);
  const ask = async (version: number, resourceTypes?: number[]) => {
    const { errorCode, configResources } = await target.ask(listConfigResourcesApi, version, resourceTypes === undefined ? {} : { resourceTypes });
    return { error: errorName(errorCode), found: configResources.map((resource) => `${resource.resourceType} ${resource.resourceName}`) };
  };
  assert.deepEqual(await ask(0), { error: 'NONE', found: [] });
  const all = await ask(1);
  assert.equal(all.error, 'NONE');
  for (const expected of [`${TOPIC} ${name}`, `${BROKER} 1`, `${LOGGER} 1`]) assert.ok(all.found.includes(expected), expected);
  const topics = await ask(1, [TOPIC]);
  assert.ok(topics.found.includes(`${TOPIC} ${name}`));
  assert.ok(topics.found.every((each) => each.startsWith(`${TOPIC} `)));
  assert.equal((await ask(1, [99])).error, 'UNSUPPORTED_VERSION');
});

// Each is a few bytes to ask for and all settings to answer.
test('a resource that is named again is answered again, but not without end', async (context) => {
  const ask = (times: number) => target.ask(describeConfigsApi, 4, {
    resources: Array.from({ length: times }, () => ({ resourceType: BROKER, resourceName: '1', configurationKeys: null })),
  });
  const { results } = await ask(3);
  assert.equal(results.length, 3);
  for (const { configs } of results) assert.equal(configs.length, results[0]!.configs.length);
  if (target.kind === 'kafka') return context.skip('Apache Kafka answers for as long as it takes');
  const refused = (await ask(5000)).results;
  assert.equal(refused.length, 5000);
  for (const { errorCode, configs } of refused) assert.deepEqual([errorName(errorCode), configs.length], ['INVALID_REQUEST', 0]);
});

test('blanks and digits without end are no value, and take no time', async () => {
  const { name } = await makeTopic(target, 'long-values');
  const long = 20_000;
  for (const text of [`1${' '.repeat(long)}1`, '9'.repeat(long), `1${','.repeat(long)}`]) {
    assert.match(await change(TOPIC, name, [['retention.ms', SET, text]]), /^INVALID_CONFIG: /);
  }
  assert.match(await change(TOPIC, name, [['min.cleanable.dirty.ratio', SET, `${'1'.repeat(long)}x`]]), /^INVALID_CONFIG: /);
  assert.equal(await change(TOPIC, name, [['retention.ms', SET, `${' '.repeat(long)}000000000000000000000000007\t`]]), 'NONE: null');
  assert.equal((await value(TOPIC, name, 'retention.ms', (config) => config?.value === '7'))?.value, '7');
  assert.equal(await change(TOPIC, name, [['cleanup.policy', SET, ' compact \t,  delete ']]), 'NONE: null');
  assert.equal((await value(TOPIC, name, 'cleanup.policy', (config) => config?.value === 'compact,delete'))?.value, 'compact,delete');
});
