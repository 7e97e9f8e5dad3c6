// The table of settings against Apache Kafka's own: every name, type, default, range, and what a running broker tells of them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { resolveBrokerConfig } from '../../src/config/broker-config.js';
import { type DescribedConfig, describeBrokerConfigs, describeTopicConfigs } from '../../src/config/describe.js';
import { isReadOnly } from '../../src/config/dynamic.js';
import { parseProperties } from '../../src/config/properties.js';
import { rangeText } from '../../src/config/range.js';
import { type Setting } from '../../src/config/setting.js';
import { allSettings, allTopicSettings, findSetting, findTopicSetting, isRuntimeOnly } from '../../src/config/settings/index.js';
import { topicProblem } from '../../src/config/topic-values.js';
import { InvalidValue, canonicalText, parseValue } from '../../src/config/value.js';
import { type BrokerProcess, startBroker } from '../support/broker.js';
import { runJava } from '../support/java.js';
import { JavaClients } from '../support/java-clients.js';

interface Row {
  readonly name: string;
  readonly type: string;
  readonly default: string | null;
  readonly importance: string;
  readonly range: string | null;
  readonly internal: boolean;
  readonly emptyAllowed?: boolean;
  readonly mode?: string;
  readonly synonyms?: readonly string[];
}

async function java<T>(program: string, args: readonly string[] = [], input = ''): Promise<T> {
  const { exitCode, stdout, stderr } = await runJava(program, args, { input });
  assert.equal(exitCode, 0, stderr);
  return JSON.parse(stdout) as T;
}

function rowOf(setting: Setting): Omit<Row, 'mode' | 'synonyms'> {
  const { name, type, importance, range, isInternal } = setting;
  const text = range === undefined ? null : rangeText(range);
  const base = { name, type, default: setting.default, importance, range: text, internal: isInternal };
  if (type !== 'list') return base;
  return { ...base, emptyAllowed: range === undefined || !('mayBeEmpty' in range) || range.mayBeEmpty === true };
}

/** One line per name that differs: hundreds of settings side by side could not be read. */
function differences(ours: Readonly<Record<string, unknown>>, theirs: Readonly<Record<string, unknown>>): string[] {
  const names = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])];
  return names.filter((name) => !isDeepStrictEqual(ours[name], theirs[name]))
    .map((name) => `${name}: ours ${JSON.stringify(ours[name])}, Kafka's ${JSON.stringify(theirs[name])}`);
}

/** Sluice's own, and those that Kafka does not take from a file, are in our table only. */
const isKafkas = ({ name }: Setting): boolean => !name.startsWith('sluice.') && !isRuntimeOnly(name);

describe('the table', () => {
  let kafka: { readonly broker: readonly Row[]; readonly topic: readonly Row[] };
  before(async () => {
    kafka = await java('ConfigTable');
  });

  test('has every setting of the broker as Kafka has it', () => {
    const ours = allSettings().filter(isKafkas).map((setting) => ({ ...rowOf(setting), mode: setting.update }));
    assert.deepEqual(differences(byName(ours), byName(kafka.broker)), []);
  });

  test('has every setting of topics as Kafka has it', () => {
    const ours = allTopicSettings.filter(isKafkas).map((setting) => ({ ...rowOf(setting), synonyms: setting.synonyms }));
    assert.deepEqual(differences(byName(ours), byName(kafka.topic)), []);
  });
});

function byName<T extends { readonly name: string }>(rows: readonly T[]): Record<string, T> {
  return Object.fromEntries([...rows].sort((a, b) => (a.name < b.name ? -1 : 1)).map((row) => [row.name, row]));
}

describe('values', () => {
  const HAVE_THEIR_OWN_FORM = ['controller.quorum.voters', 'controller.quorum.bootstrap.servers'];
  const odd = ['', ' ', '0', '-1', '-2', '1', '+1', '12', ' 12 ', '1_000', '0x10', '1.5', '1e3', 'abc', 'true', 'TRUE', 'yes', '2147483648',
    '9223372036854775807', '9223372036854775808', '-9223372036854775808', '99999', 'delete', 'compact,delete', 'compact , delete', 'delete,delete',
    'delete,,compact', 'Delete', 'gzip', 'none', 'zstd', 'CreateTime', '*', '1:2', '1:2,3:4', '0.00001', '12345678.9', 'NaN', '1d', '.5'];

  test('are taken and refused as by Kafka, with its words', async () => {
    const topics = allTopicSettings.filter(isKafkas).filter(({ name }) => name !== 'remote.storage.enable');
    const settings = allSettings().filter(isKafkas).filter(({ type, name }) => type !== 'class' && !HAVE_THEIR_OWN_FORM.includes(name));
    const cases = [
      ...topics.flatMap(({ name }) => odd.map((text) => ['topic', name, text] as const)),
      ...settings.flatMap(({ name }) => odd.map((text) => ['broker', name, text] as const)),
    ];
    const theirs = await java<string[]>('ConfigTable', ['values'], JSON.stringify(cases));
    const { config } = resolveBrokerConfig(new Map(), { fileGiven: false });
    const ours = cases.map(([kind, name, text]) => {
      const setting = kind === 'topic' ? findTopicSetting(name) : findSetting(name);
      assert.ok(setting);
      if (kind === 'topic') {
        const problem = topicProblem(new Map([[name, text]]), config.settings);
        if (problem !== null) return problem;
      }
      return outcome(setting, text);
    });
    const differing = cases.flatMap((each, i) => (ours[i] === theirs[i] ? [] : [`${each.join(' ')}: ours '${ours[i]}', Kafka's '${theirs[i]}'`]));
    assert.deepEqual(differing, []);
  });

  function outcome(setting: Setting, text: string): string {
    try {
      parseValue(setting, text);
      return `= ${canonicalText(setting, text)}`;
    } catch (error) {
      if (error instanceof InvalidValue) return error.message;
      throw error;
    }
  }
});

describe('a running broker', () => {
  type Told = readonly [value: string | null, source: string, readOnly: boolean, sensitive: boolean, type: string, synonyms: readonly (readonly [string, string | null, string])[]];
  const SOURCES = ['UNKNOWN', 'DYNAMIC_TOPIC_CONFIG', 'DYNAMIC_BROKER_CONFIG', 'DYNAMIC_DEFAULT_BROKER_CONFIG', 'STATIC_BROKER_CONFIG', 'DEFAULT_CONFIG'];
  const TYPES = ['UNKNOWN', 'BOOLEAN', 'STRING', 'INT', 'SHORT', 'LONG', 'DOUBLE', 'LIST', 'CLASS', 'PASSWORD'];
  const FILE = {
    'log.retention.hours': '100', 'log.roll.hours': '24', 'message.max.bytes': '2000000', 'num.io.threads': '4', 'log.cleanup.policy': 'compact,delete',
    'no.such.setting': 'x', 'log.cleaner.min.cleanable.ratio': '0.75',
  };
  const TOPIC = { 'max.message.bytes': '3000000', 'cleanup.policy': 'compact', 'segment.bytes': '2000000' };
  /** Kafka sets it for all brokers when the directory is formatted, since its feature of eligible leader replicas needs it so. */
  const SET_BY_KAFKA = new Map([['min.insync.replicas', '1']]);
  let broker: BrokerProcess;
  let told: Record<'BROKER=1' | 'TOPIC=t', Record<string, Told>>;

  before(async () => {
    broker = await startBroker({ kind: 'kafka', properties: FILE });
    const clients = await JavaClients.start(broker.bootstrap);
    await clients.create('Admin', 'admin');
    await clients.call('admin', 'createTopics', { topics: [{ name: 't', partitions: 1, replication: 1, configs: TOPIC }] });
    await clients.close();
    told = await java('ConfigDescriber', [broker.bootstrap, 'BROKER=1', 'TOPIC=t']);
  });
  after(async () => {
    await broker?.dispose();
  });

  function asTold(configs: readonly DescribedConfig[]): Record<string, Told> {
    return Object.fromEntries(configs.filter(({ name }) => !name.startsWith('sluice.')).map((each): [string, Told] => [each.name, [
      each.value, SOURCES[each.source] ?? '', each.readOnly, each.isSensitive, TYPES[each.type] ?? '',
      each.synonyms.map(({ name, value, source }) => [name, value, SOURCES[source] ?? '']),
    ]]).sort());
  }

  test('tells of a topic what we tell', () => {
    const { config } = resolveBrokerConfig(new Map(Object.entries(FILE)), { fileGiven: true });
    const settings = config.settings.withDynamic(new Map(), SET_BY_KAFKA);
    assert.deepEqual(differences(asTold(describeTopicConfigs(new Map(Object.entries(TOPIC)), settings)), told['TOPIC=t']), []);
  });

  test('tells of itself what we tell, but for what Sluice does not let change', () => {
    const properties = parseProperties(readFileSync(join(dirname(broker.dataDirectory), 'server.properties'), 'utf8'));
    const { config } = resolveBrokerConfig(properties, { fileGiven: true });
    const ours = asTold(describeBrokerConfigs(config.settings.withDynamic(new Map(), SET_BY_KAFKA)).filter(({ name }) => !isRuntimeOnly(name)));
    for (const [name, entry] of Object.entries(told['BROKER=1'])) {
      const setting = findSetting(name);
      const [value, source, , ...rest] = entry;
      if (setting !== undefined && isReadOnly(setting)) told['BROKER=1'][name] = [value, source, true, ...rest];
    }
    assert.deepEqual(differences(ours, told['BROKER=1']), []);
  });
});
