// Settings of topics and brokers: described, replaced, set, deleted, appended to, with everything that can be wrong about them.
import {
  alterConfigsApi, createTopicsApi, deleteTopicsApi, describeConfigsApi, incrementalAlterConfigsApi, listConfigResourcesApi,
} from '../../../src/protocol/index.js';
import { type Random } from '../../support/random.js';
import { mostly, some, step, versionOf } from './script.js';
import { type Step } from './side.js';

const TOPIC = 2;
const BROKER = 4;
const TOPICS = ['one', 'two', 'absent', 'wrong name', ''];
const BROKERS = ['1', '', '2', '-1', 'x', '+1', '01', ' 1', '1.0', '99999999999'];

type Change = readonly [name: string, value: string | null];

const TOPIC_CHANGES: readonly Change[] = [
  ['retention.ms', '60000'], ['retention.ms', '+7'], ['retention.ms', ' 8 '], ['cleanup.policy', 'compact'], ['cleanup.policy', 'delete'], ['cleanup.policy', 'compact,delete'],
  ['cleanup.policy', 'delete , compact'], ['cleanup.policy', 'delete,delete'], ['max.message.bytes', '2000000'], ['compression.type', 'lz4'], ['segment.bytes', '2097152'],
  ['leader.replication.throttled.replicas', '*'], ['leader.replication.throttled.replicas', '0:1,1:1'], ['follower.replication.throttled.replicas', '0:1'],
  ['min.insync.replicas', '1'], ['preallocate', 'TRUE'], ['min.cleanable.dirty.ratio', '.25'], ['min.cleanable.dirty.ratio', '1e-4'], ['message.timestamp.type', 'LogAppendTime'],
  ['unclean.leader.election.enable', 'true'], ['min.compaction.lag.ms', '5'], ['max.compaction.lag.ms', '9'], ['compression.gzip.level', '5'], ['flush.messages', '7'],
  ['message.timestamp.after.max.ms', '1000'], ['index.interval.bytes', '0'], ['local.retention.ms', '5'], ['segment.jitter.ms', '3'], ['retention.bytes', '123456'],
];
const ODD_TOPIC_CHANGES: readonly Change[] = [
  ['retention.ms', 'x'], ['retention.ms', '-2'], ['retention.ms', null], ['cleanup.policy', 'burn'], ['cleanup.policy', ''], ['cleanup.policy', ','],
  ['cleanup.policy', 'delete,'], ['no.such.setting', '1'], ['segment.bytes', '1'], ['max.message.bytes', '4294967296'], ['compression.type', 'LZ4'],
  ['leader.replication.throttled.replicas', '0-1'], ['leader.replication.throttled.replicas', ''], ['min.insync.replicas', '0'], ['preallocate', 'maybe'],
  ['min.cleanable.dirty.ratio', '1.01'], ['min.cleanable.dirty.ratio', 'NaN'], ['message.timestamp.type', 'logappendtime'], ['compression.gzip.level', '0'],
  ['compression.gzip.level', '10'], ['compression.lz4.level', '18'], ['compression.zstd.level', '23'], ['min.compaction.lag.ms', '99'], ['max.compaction.lag.ms', '1'],
  ['flush.messages', '0'], ['segment.ms', '0'], ['local.retention.bytes', '99999999999'], ['message.timestamp.before.max.ms', '-1'], ['file.delete.delay.ms', '-1'],
  ['segment.index.bytes', '3'], ['remote.log.copy.disable', 'true'],
];
/** Not the number of network threads: with a thread Kafka closes the connections that it served. */
const BROKER_CHANGES: readonly Change[] = [
  ['log.retention.ms', '86400000'], ['log.cleanup.policy', 'compact'], ['log.cleanup.policy', 'delete,compact'], ['message.max.bytes', '1000000'], ['num.io.threads', '9'],
  ['log.segment.bytes', '1048576'], ['compression.type', 'gzip'], ['min.insync.replicas', '1'], ['log.message.timestamp.type', 'LogAppendTime'], ['max.connections', '1000'],
  ['max.connections.per.ip', '100'], ['log.cleaner.threads', '2'], ['background.threads', '11'], ['num.replica.fetchers', '2'], ['log.roll.ms', '1000000'],
  ['unclean.leader.election.enable', 'true'], ['follower.replication.throttled.rate', '1000'], ['leader.replication.throttled.rate', '1000'],
  ['metric.reporters', ''], ['log.flush.interval.messages', '10'], ['log.retention.bytes', '5000'], ['log.index.interval.bytes', '100'], ['log.preallocate', 'true'],
  ['my.own.setting', 'anything'], ['num.recovery.threads.per.data.dir', '3'], ['log.flush.interval.ms', '70'], ['max.connection.creation.rate', '100'],
  ['connections.max.idle.ms', '700000'], ['log.local.retention.ms', '1000'], ['remote.fetch.max.wait.ms', '400'],
  ['producer.id.expiration.ms', '80000000'], ['transaction.partition.verification.enable', 'false'], ['group.coordinator.append.linger.ms', '4'], ['log.retention.minutes', '5'],
];
const ODD_BROKER_CHANGES: readonly Change[] = [
  ['log.retention.ms', 'x'], ['log.retention.ms', '0'], ['log.retention.ms', null], ['log.cleanup.policy', 'burn'], ['log.cleanup.policy', ''], ['broker.id', '7'],
  ['node.id', '7'], ['num.io.threads', '0'], ['num.io.threads', '1000'], ['num.network.threads', '-1'], ['log.cleaner.threads', '-1'], ['background.threads', '100'],
  ['auto.create.topics.enable', 'false'], ['ssl.keystore.location', '/x'], ['ssl.keystore.password', 'secret'], ['min.insync.replicas', '0'],
  ['message.max.bytes', '-1'], ['compression.type', 'rar'], ['zookeeper.connect', 'x'], ['log.segment.bytes', '10'], ['max.connections', '-1'],
 ['follower.replication.throttled.rate', '-1'], ['log.dirs', '/tmp'], ['offsets.retention.minutes', '5'],
  ['log.cleaner.threads', '5'], ['background.threads', '4'], ['num.network.threads', '7'], ['num.recovery.threads.per.data.dir', '9'],
  ['log.retention.hours', '3'], ['num.partitions', '4'], ['default.replication.factor', '1'], ['log.roll.hours', '3'],
];

interface Resource {
  readonly resourceType: number;
  readonly resourceName: string;
}

/** Loggers, client metrics and groups have no settings here: docs/skipped.md. */
const NO_TYPES = [0, 1, 3, 5, 64, 127, -1];

function resource(random: Random): Resource {
  const kind = random.below(100);
  if (kind < 50) return { resourceType: TOPIC, resourceName: mostly(random, TOPICS.slice(0, 2), TOPICS.slice(2), 0.2) };
  if (kind < 95) return { resourceType: BROKER, resourceName: mostly(random, BROKERS.slice(0, 2), BROKERS.slice(2), 0.2) };
  return { resourceType: random.pick(NO_TYPES), resourceName: random.pick(['', '1', 'one']) };
}

function change(random: Random, { resourceType }: Resource): Change {
  return resourceType === BROKER ? mostly(random, BROKER_CHANGES, ODD_BROKER_CHANGES, 0.25) : mostly(random, TOPIC_CHANGES, ODD_TOPIC_CHANGES, 0.25);
}

/** Of several wrong values Kafka tells of one, in an order that only it knows where they are the broker's. */
function changes(random: Random, of: Resource): Change[] {
  const wanted = some(random, [0], of.resourceType === BROKER ? 2 : 3).map(() => change(random, of));
  const odd = wanted.filter((each) => ODD_BROKER_CHANGES.includes(each));
  return odd.length > 0 ? odd.slice(0, 1) : wanted;
}

function replace(random: Random): Step {
  const resources = some(random, [0], 2).map(() => {
    const of = resource(random);
    return { ...of, configs: random.chance(0.1) ? [] : changes(random, of).map(([name, value]) => ({ name, value })) };
  });
  // Asked to replace the settings of one resource twice, Kafka never answers; all types that it does not know are one to it.
  const keyOf = ({ resourceType, resourceName }: Resource) => `${NO_TYPES.includes(resourceType) ? 'none' : resourceType}:${resourceName}`;
  const unique = resources.filter((each, index) => resources.findIndex((other) => keyOf(other) === keyOf(each)) === index);
  return step(alterConfigsApi, versionOf(random, alterConfigsApi), { resources: unique, validateOnly: random.chance(0.2) });
}

function alter(random: Random): Step {
  const resources = some(random, [0], 2).map(() => {
    const of = resource(random);
    const configs = changes(random, of).map(([name, value]) => {
      const isList = /policy|throttled.replicas|reporters/.test(name);
      // An operation that there is not makes Kafka fail with UNKNOWN_SERVER_ERROR.
      const configOperation = mostly(random, isList ? [0, 1, 2, 3] : [0, 0, 1], isList ? [0] : [2, 3], 0.1);
      return { name, configOperation, value: configOperation === 1 && random.chance(0.7) ? null : value };
    });
    return { ...of, configs };
  });
  return step(incrementalAlterConfigsApi, versionOf(random, incrementalAlterConfigsApi), { resources, validateOnly: random.chance(0.2) });
}

/** Kafka's prose is its own. The values of these two brokers differ, or belong to what Sluice does not serve. */
export const NOT_COMPARED = new Set([
  'listeners', 'advertised.listeners', 'log.dirs', 'log.dir', 'controller.quorum.voters', 'process.roles', 'controller.listener.names', 'node.id', 'broker.id',
  'offsets.topic.replication.factor', 'transaction.state.log.replication.factor', 'transaction.state.log.min.isr', 'share.coordinator.state.topic.replication.factor',
  'share.coordinator.state.topic.min.isr', 'group.initial.rebalance.delay.ms',
]);

function hideOwn(answer: any): unknown {
  for (const result of answer.results ?? []) {
    result.configs = result.configs.filter(({ name }: { name: string }) => !NOT_COMPARED.has(name));
    for (const config of result.configs) if (config.documentation !== null) config.documentation = 'prose';
  }
  return answer;
}

function describe(random: Random): Step {
  const version = versionOf(random, describeConfigsApi);
  const resources = some(random, [0], 3).map(() => {
    const of = resource(random);
    const keys = some(random, of.resourceType === BROKER ? BROKER_CHANGES : TOPIC_CHANGES, 4, { mayBeNone: true }).map(([name]) => name);
    const isAll = of.resourceType !== BROKER && random.chance(0.2);
    return { ...of, configurationKeys: isAll ? null : keys.length === 0 && of.resourceType === BROKER && of.resourceName !== '' ? ['log.retention.ms', 'no.such', 'log.dir'] : keys };
  });
  const includeDocumentation = version >= 3 && random.chance(0.3);
  return step(describeConfigsApi, version, { resources, includeSynonyms: random.chance(0.6), includeDocumentation }, { isRead: true, hide: hideOwn });
}

/** All that a broker tells of itself, which is much: not for recordings. */
export function describeAll(version: number): Step {
  const resources = [{ resourceType: BROKER, resourceName: '1', configurationKeys: null }, { resourceType: BROKER, resourceName: '', configurationKeys: null }];
  return step(describeConfigsApi, version, { resources, includeSynonyms: true, includeDocumentation: version >= 3 }, { isRead: true, hide: hideOwn });
}

function list(random: Random): Step {
  const version = versionOf(random, listConfigResourcesApi);
  const resourceTypes = version === 0 ? [] : some(random, [2, 4, 8, 16, 32], 3, { mayBeNone: true });
  return step(listConfigResourcesApi, version, { resourceTypes: mostly(random, [resourceTypes], version === 0 ? [[]] : [[99], [2, -1], [0]]) }, { isRead: true });
}

function topics(random: Random): Step {
  const name = random.pick(['one', 'two']);
  if (random.chance(0.2)) return step(deleteTopicsApi, 5, { topicNames: [name], timeoutMs: 30_000 });
  return step(createTopicsApi, 6, { topics: [{ name, numPartitions: 1, replicationFactor: 1 }], timeoutMs: 30_000 });
}

export function configStep(random: Random): Step {
  const act = random.below(100);
  if (act < 12) return topics(random);
  if (act < 25) return replace(random);
  if (act < 60) return alter(random);
  if (act < 95) return describe(random);
  return list(random);
}
