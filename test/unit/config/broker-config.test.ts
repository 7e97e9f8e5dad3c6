import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { describe, test } from 'node:test';
import { type ResolvedConfig, defaultConfig, resolveBrokerConfig } from '../../../src/config/broker-config.js';
import { ConfigError } from '../../../src/config/config-error.js';
import { TopicValues } from '../../../src/config/topic-values.js';
import { perIpOverrides } from '../../../src/config/per-ip.js';

/** What Kafka's own distribution ships for one node. */
const SHIPPED = {
  'process.roles': 'broker,controller', 'node.id': '1', 'controller.quorum.bootstrap.servers': 'localhost:9093',
  listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093', 'inter.broker.listener.name': 'PLAINTEXT',
  'advertised.listeners': 'PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093', 'controller.listener.names': 'CONTROLLER',
  'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL',
  'num.network.threads': '3', 'num.io.threads': '8', 'socket.send.buffer.bytes': '102400', 'socket.receive.buffer.bytes': '102400',
  'socket.request.max.bytes': '104857600', 'log.dirs': '/tmp/kraft-combined-logs', 'num.partitions': '1', 'num.recovery.threads.per.data.dir': '1',
  'offsets.topic.replication.factor': '1', 'share.coordinator.state.topic.replication.factor': '1', 'share.coordinator.state.topic.min.isr': '1',
  'transaction.state.log.replication.factor': '1', 'transaction.state.log.min.isr': '1', 'log.retention.hours': '168',
  'log.segment.bytes': '1073741824', 'log.retention.check.interval.ms': '300000',
};

function fromFile(properties: Record<string, string>): ResolvedConfig {
  return resolveBrokerConfig(new Map(Object.entries(properties)), { fileGiven: true });
}

function refuses(properties: Record<string, string>, expected: RegExp, fileGiven = true): void {
  assert.throws(() => resolveBrokerConfig(new Map(Object.entries(properties)), { fileGiven }), (error: unknown) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, expected);
    assert.equal(error.message.includes('\n'), false, 'one line');
    return true;
  });
}

describe('without a file', () => {
  test('one listener on the loopback address, data in ./data, the values of a single node', () => {
    const config = defaultConfig();
    assert.equal(config.nodeId, 1);
    assert.deepEqual(config.listeners.bound, [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9092 }]);
    assert.deepEqual(config.listeners.advertised, config.listeners.bound);
    assert.equal(config.listeners.interBroker, 'PLAINTEXT');
    assert.equal(config.logDir, resolve('data'));
    assert.equal(config.settings.get('offsets.topic.replication.factor'), 1);
    assert.equal(config.settings.get('group.initial.rebalance.delay.ms'), 0);
    assert.equal(config.settings.get('sluice.durability'), 'fsync');
  });

  test('overrides count, and nothing is warned of', () => {
    const { config, warnings } = resolveBrokerConfig(new Map([['log.dir', '/x'], ['broker.id', '7'], ['listeners', 'PLAINTEXT://127.0.0.1:0']]), { fileGiven: false });
    assert.deepEqual([config.logDir, config.nodeId, config.listeners.bound[0]?.port], ['/x', 7, 0]);
    assert.deepEqual(warnings, []);
  });
});

describe('with a file', () => {
  test('the one that Kafka ships works as it is', () => {
    const { config, warnings } = fromFile(SHIPPED);
    assert.deepEqual(config.listeners, {
      bound: [{ name: 'PLAINTEXT', host: '', port: 9092 }],
      advertised: [{ name: 'PLAINTEXT', host: 'localhost', port: 9092 }],
      unbound: [{ name: 'CONTROLLER', host: '', port: 9093 }],
      interBroker: 'PLAINTEXT',
    });
    assert.equal(config.logDir, '/tmp/kraft-combined-logs');
    assert.deepEqual(warnings, [
      'the controller is inside the broker, so its listener is not bound: CONTROLLER://:9093',
      'accepted, but without effect in Sluice: num.io.threads, num.network.threads, num.recovery.threads.per.data.dir',
    ]);
  });

  test('Kafka\'s defaults count, and internal topics get one replica, with one warning', () => {
    const { config, warnings } = fromFile({ 'log.dirs': '/x', 'offsets.topic.replication.factor': '3' });
    assert.equal(config.settings.get('offsets.topic.replication.factor'), 1);
    assert.equal(config.settings.get('transaction.state.log.min.isr'), 1);
    assert.equal(config.settings.get('group.initial.rebalance.delay.ms'), 3000);
    assert.deepEqual(config.listeners.bound, [{ name: 'PLAINTEXT', host: '', port: 9092 }]);
    assert.deepEqual(config.listeners.advertised, [{ name: 'PLAINTEXT', host: hostname(), port: 9092 }]);
    assert.deepEqual(warnings, ['there is one broker, so these count as 1: offsets.topic.replication.factor, ' +
      'transaction.state.log.replication.factor, transaction.state.log.min.isr, ' +
      'share.coordinator.state.topic.replication.factor, share.coordinator.state.topic.min.isr']);
  });

  test('unknown settings are named once', () => {
    const { warnings } = fromFile({ ...SHIPPED, 'no.such': '1', 'confluent.telemetry': 'x' });
    assert.equal(warnings.at(-1), 'unknown settings, ignored: confluent.telemetry, no.such');
  });
});

describe('what would leave open what was to be closed ends the start', () => {
  for (const [name, value] of Object.entries({
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer', 'ssl.keystore.location': '/k.jks', 'ssl.client.auth': 'required',
    'sasl.enabled.mechanisms': 'PLAIN', 'sasl.jaas.config': 'x', 'remote.log.storage.system.enable': 'true', 'security.inter.broker.protocol': 'SSL',
    'principal.builder.class': 'x.Y', 'delegation.token.secret.key': 's', 'create.topic.policy.class.name': 'x.Y', 'config.providers': 'file',
    'zookeeper.connect': 'localhost:2181', 'listener.name.plaintext.ssl.keystore.location': '/k',
    'listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config': 'x', 'client.quota.callback.class': 'x.Y',
  })) {
    test(name, () => refuses({ ...SHIPPED, [name]: value }, new RegExp(`^${name.replaceAll('.', '\\.')} is set`)));
  }

  test('but not when it has its default', () => {
    fromFile({ ...SHIPPED, 'ssl.client.auth': 'none', 'sasl.enabled.mechanisms': 'GSSAPI', 'authorizer.class.name': '', 'remote.log.storage.system.enable': 'FALSE', 'ssl.keystore.location': '' });
  });

  test('a listener that is not PLAINTEXT', () => {
    refuses({ ...SHIPPED, listeners: 'PLAINTEXT://:9092,SSL://:9094,CONTROLLER://:9093' }, /SSL:\/\/:9094 with the protocol SSL, and Sluice serves PLAINTEXT only/);
    refuses({ ...SHIPPED, 'listener.security.protocol.map': 'PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT' }, /PLAINTEXT:\/\/:9092 with the protocol SASL_PLAINTEXT/);
    refuses({ listeners: 'INSIDE://:9092' }, /does not say which protocol INSIDE speaks/);
  });

  test('a password is not repeated', () => {
    assert.throws(() => fromFile({ ...SHIPPED, 'ssl.key.password': 'hunter2' }), (error: Error) => !error.message.includes('hunter2'));
  });
});

describe('another cluster than this node\'s own ends the start', () => {
  test('voters', () => {
    fromFile({ ...SHIPPED, 'controller.quorum.voters': '1@localhost:9093' });
    refuses({ ...SHIPPED, 'controller.quorum.voters': '1@localhost:9093,2@other:9093' }, /names 2@other:9093.*joins no other controllers.*only this node \(1@/);
    refuses({ ...SHIPPED, 'controller.quorum.voters': 'localhost:9093' }, /not of the form id@host:port/);
  });

  test('bootstrap servers', () => {
    for (const server of ['127.0.0.1:9093', `${hostname()}:9093`, '[::1]:9093']) fromFile({ ...SHIPPED, 'controller.quorum.bootstrap.servers': server });
    for (const server of ['other:9093', 'localhost:9999', 'nonsense']) {
      refuses({ ...SHIPPED, 'controller.quorum.bootstrap.servers': server }, /not this node's own controller listener/);
    }
  });

  test('roles', () => {
    refuses({ 'process.roles': 'broker', 'node.id': '3', listeners: 'PLAINTEXT://h:9092', 'controller.listener.names': 'CONTROLLER' }, /set process\.roles=broker,controller/);
    for (const roles of ['broker', 'controller']) refuses({ ...SHIPPED, 'process.roles': roles }, /set process\.roles=broker,controller/);
  });
});

describe('one clear line for what is wrong', () => {
  const cases: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ 'log.segment.bytes': '12' }, /^Invalid value 12 for configuration log\.segment\.bytes: Value must be at least 1048576$/],
    [{ 'num.partitions': 'many' }, /^Invalid value many for configuration num\.partitions: Not a number of type INT$/],
    [{ 'node.id': '1', 'broker.id': '2' }, /node\.id is 1 and broker\.id is 2.*both alike/],
    [{ 'log.dirs': '/a,/b' }, /log\.dirs has 2 directories, and Sluice serves one: name one/],
    [{ 'log.dirs': '/a', 'metadata.log.dir': '/b' }, /metadata\.log\.dir is \/b/],
    [{ listeners: 'PLAINTEXT:/x' }, /'PLAINTEXT:\/x', which is not of the form NAME:\/\/host:port/],
    [{ listeners: 'PLAINTEXT://:99999' }, /not of the form/],
    [{ listeners: 'PLAINTEXT://:1,PLAINTEXT://:2' }, /the name PLAINTEXT twice/],
    [{ listeners: 'PLAINTEXT://:9092,A://127.0.0.1:9092', 'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,A:PLAINTEXT' }, /cannot both have port 9092/],
    [{ listeners: 'PLAINTEXT://0.0.0.0:9092' }, /an address that clients cannot connect to; set advertised\.listeners/],
    [{ 'advertised.listeners': 'OTHER://h:1' }, /advertised\.listeners has OTHER, which is not one of the listeners \(PLAINTEXT\)/],
    [{ 'inter.broker.listener.name': 'OTHER' }, /inter\.broker\.listener\.name is OTHER/],
    [{ 'controller.listener.names': 'CONTROLLER' }, /names CONTROLLER, which is not one of the listeners/],
    [{ 'controller.listener.names': 'PLAINTEXT' }, /none for clients/],
    [{ 'listener.security.protocol.map': 'PLAINTEXT:TLS' }, /'PLAINTEXT:TLS', which is not of the form NAME:PROTOCOL/],
    [{ 'log.retention.ms': '0' }, /log.retention.ms must be unlimited \(-1\) or, greater than or equal to 1/],
    [{ 'log.roll.ms': '0' }, /log\.roll\.ms must be greater than or equal to 1/],
    [{ 'max.connections.per.ip': '0' }, /max\.connections\.per\.ip can be set to zero only if/],
    [{ 'max.connections.per.ip.overrides': '127.0.0.1:5,here:6' }, /'here:6', and must have address:count; names of hosts are not looked up/],
    [{ 'max.connections.per.ip.overrides': '127.0.0.1:x' }, /a whole number behind the address/],
    [{ 'max.connections.per.ip.overrides': '127.0.0.1' }, /must have address:count/],
    [{ 'sluice.reactors': '2' }, /sluice\.reactors: Value must be no more than 1/],
    [{ 'sluice.durability': 'maybe' }, /String must be one of: fsync, os/],
    [{ 'sluice.memory.connection.bytes': '2000000' }, /a request may have 104857600 bytes/],
    [{ 'log.cleaner.min.compaction.lag.ms': '10', 'log.cleaner.max.compaction.lag.ms': '5' }, /min\.compaction\.lag\.ms \(10\) > max\.compaction\.lag\.ms \(5\)/],
  ];
  for (const [properties, expected] of cases) test(JSON.stringify(properties), () => refuses(properties, expected, false));
});

test('limits of single addresses', () => {
  assert.deepEqual(perIpOverrides(' 127.0.0.1:5, ::1:6,[fe80::2]:7 '), [
    { host: '127.0.0.1', connections: 5 }, { host: '::1', connections: 6 }, { host: 'fe80::2', connections: 7 },
  ]);
  assert.deepEqual(perIpOverrides(''), []);
  fromFile({ ...SHIPPED, 'max.connections.per.ip': '0', 'max.connections.per.ip.overrides': '127.0.0.1:5' });
});

test('times of the log are taken from the most exact setting', () => {
  const topic = (properties: Record<string, string>): TopicValues => new TopicValues(new Map(), fromFile({ 'log.dirs': '/x', ...properties }).config.settings);
  assert.equal(topic({}).get('retention.ms'), 604_800_000);
  assert.equal(topic({ 'log.retention.hours': '1' }).get('retention.ms'), 3_600_000);
  assert.equal(topic({ 'log.retention.hours': '1', 'log.retention.minutes': '2' }).get('retention.ms'), 120_000);
  assert.equal(topic({ 'log.retention.minutes': '2', 'log.retention.ms': '3' }).get('retention.ms'), 3);
  assert.equal(topic({ 'log.retention.hours': '-1' }).get('retention.ms'), -1);
  assert.equal(topic({ 'log.roll.hours': '2' }).get('segment.ms'), 7_200_000);
  assert.equal(topic({ 'log.roll.hours': '2', 'log.roll.ms': '5' }).get('segment.ms'), 5);
  assert.equal(topic({ 'log.roll.jitter.hours': '1' }).get('segment.jitter.ms'), 3_600_000);
});
