// The protocol layer held against Apache Kafka's own: every table against the definitions in the jars, and the bytes of
// random values of every version against what Kafka's classes write.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  type Field, type FieldTable, apiOfKey, apis, buildBatch, errorOfCode, kafkaErrors, metadataRecords, parseBatches,
  readRecords, requestHeaderVersion, responseHeaderVersion,
} from '../../src/protocol/index.js';
import { requireKafka, runJava } from '../support/java.js';
import {
  type KafkaField, type KafkaModule, type KafkaSchema, fieldDefault, fieldName, readKafkaSchemas,
} from '../support/kafka-schemas.js';
import { kafkaLibs } from '../support/paths.js';
import { complete, knownMessages, randomValue, toKafkaJson, versionsOf } from '../support/protocol-messages.js';
import { Random, testSeed } from '../support/random.js';

const schemas = new Map<KafkaModule, Map<string, KafkaSchema>>();

before(async () => {
  await requireKafka();
  for (const module of ['clients', 'metadata', 'group-coordinator'] as const) {
    schemas.set(module, readKafkaSchemas(kafkaLibs('broker'), module));
  }
});

function schemaOf(module: KafkaModule, name: string): KafkaSchema {
  const schema = schemas.get(module)?.get(name);
  assert.ok(schema !== undefined, `Kafka has no ${name}`);
  return schema;
}

/** A field in one comparable form. What it does not have is left out, so that a missing property is a difference. */
interface Facts {
  [property: string]: unknown;
}

function factsOfTable(fields: FieldTable): Facts[] {
  return Object.entries(fields).map(([name, field]: [string, Field]) => {
    const { of, ...rest } = field;
    return { name, ...rest, ...(of === undefined ? {} : { of: factsOfTable(of) }) };
  });
}

function factsOfKafka(fields: readonly KafkaField[], structs: ReadonlyMap<string, readonly KafkaField[]>): Facts[] {
  return fields.map((field) => {
    const isArray = field.type.startsWith('[]');
    const element = isArray ? field.type.slice(2) : field.type;
    const isStruct = /^[A-Z]/.test(element);
    const facts: Facts = {
      name: fieldName(field.name),
      type: `${isArray ? '[]' : ''}${isStruct ? 'struct' : element}`,
      versions: field.versions ?? field.taggedVersions,
    };
    if (field.nullableVersions !== undefined) facts['nullable'] = field.nullableVersions;
    if (field.tag !== undefined) facts['tag'] = field.tag;
    if (field.taggedVersions !== undefined) facts['tagged'] = field.taggedVersions;
    const value = fieldDefault(field);
    if (value !== undefined) facts['default'] = value;
    if (field.ignorable === true) facts['ignorable'] = true;
    if (field.flexibleVersions !== undefined) facts['flexible'] = field.flexibleVersions;
    if (isStruct) facts['of'] = factsOfKafka(field.fields ?? structs.get(element) ?? [], structs);
    return facts;
  });
}

/** `3+` and the like as numbers, whichever way they are written. */
function range(text: string): readonly [number, number] {
  if (text === 'none') return [1, 0];
  if (text.endsWith('+')) return [Number(text.slice(0, -1)), 0x7fff];
  const [min, max = min] = text.split('-').map(Number);
  return [min as number, max as number];
}

for (const { message, module } of knownMessages) {
  test(`${message.name} is Kafka's table`, () => {
    const schema = schemaOf(module, message.name);
    const structs = new Map((schema.commonStructs ?? []).map((s) => [s.name, s.fields]));
    assert.deepEqual([message.versions.min, message.versions.max], range(schema.validVersions), 'versions');
    const flexible = range(schema.flexibleVersions ?? 'none');
    assert.deepEqual([message.flexible.min, message.flexible.max], flexible, 'flexible');
    assert.deepEqual(factsOfTable(message.fields), factsOfKafka(schema.fields ?? [], structs));
  });
}

test('every API has the key and the unreleased version of its request', () => {
  for (const api of apis) {
    const schema = schemaOf('clients', api.request.name);
    assert.equal(api.key, schema.apiKey, api.name);
    assert.equal(schemaOf('clients', api.response.name).apiKey, api.key, api.name);
    const hidden = schema.latestVersionUnstable === true ? 1 : 0;
    assert.equal(api.stableVersions.max, api.versions.max - hidden, api.name);
  }
});

test('every metadata record of Kafka is known by its type', () => {
  const ours = new Map(metadataRecords.map((record) => [record.name as string, record.type]));
  const theirs = new Map([...(schemas.get('metadata') ?? [])].map(([name, schema]) => [name, schema.apiKey]));
  assert.deepEqual(new Map([...ours].sort()), new Map([...theirs].sort()));
});

test('versions, stable versions and header versions are those of Kafka\'s classes', async () => {
  const { stdout, stderr, exitCode } = await runJava('GoldenBytes', ['keys']);
  assert.equal(exitCode, 0, stderr);
  const seen = new Set<number>();
  for (const line of stdout.trim().split('\n')) {
    const [key, name, ...numbers] = line.split(' ');
    const api = apiOfKey(Number(key));
    if (api === undefined) continue;
    seen.add(api.key);
    const { min, max } = api.versions;
    const version = Number(numbers[3]);
    const headers = [requestHeaderVersion(api, version), responseHeaderVersion(api, version)];
    assert.deepEqual(
      [api.name, min, api.stableVersions.max, max, version, ...headers],
      [name, ...numbers.map(Number)],
    );
  }
  assert.deepEqual([...seen].sort((a, b) => a - b), apis.map((api) => api.key));
});

test('the error table is Kafka\'s', async () => {
  const { stdout, stderr, exitCode } = await runJava('GoldenBytes', ['errors']);
  assert.equal(exitCode, 0, stderr);
  const lines = stdout.trim().split('\n');
  for (const line of lines) {
    const [code, name, retriable] = line.split(' ');
    const entry = errorOfCode(Number(code));
    assert.deepEqual([entry?.name, entry?.retriable], [name, retriable === 'true']);
  }
  assert.equal(lines.length, Object.keys(kafkaErrors).length);
});

test('random values of every version have the bytes that Kafka writes', async (context) => {
  const seed = testSeed();
  context.diagnostic(`SLUICE_TEST_SEED=${seed}`);
  const random = new Random(seed);
  const rounds = 4;
  const cases = knownMessages.flatMap(({ message, javaClass }) =>
    versionsOf(message).flatMap((version) =>
      Array.from({ length: rounds }, () => {
        const value = randomValue(message.fields, version, random);
        return { message, version, value, line: `${javaClass}\t${version}\t${toKafkaJson(value)}` };
      }),
    ),
  );
  const input = cases.map((each) => each.line).join('\n');
  const { stdout, stderr, exitCode } = await runJava('GoldenBytes', ['messages'], { input, timeoutMs: 120_000 });
  assert.equal(exitCode, 0, stderr);
  const answers = stdout.trimEnd().split('\n');
  assert.equal(answers.length, cases.length);
  for (const [index, { message, version, value, line }] of cases.entries()) {
    const golden = answers[index] as string;
    assert.equal(message.encode(version, value).toString('hex'), golden, line);
    const decoded = message.decode(Buffer.from(golden, 'hex'), version);
    assert.deepEqual(decoded, complete(message.fields, value), line);
    assert.equal(message.encode(version, decoded).toString('hex'), golden, line);
  }
});

test('a record batch has the bytes that Kafka writes', async () => {
  const { stdout, stderr, exitCode } = await runJava('GoldenBytes', ['batch']);
  assert.equal(exitCode, 0, stderr);
  const headers = [{ key: 'h', value: Buffer.from([1, 2]) }, { key: 'leer', value: null }];
  const records = [
    { timestamp: 1_700_000_000_000n, key: Buffer.from('key'), value: Buffer.from('value'), headers },
    { timestamp: 1_699_999_999_000n, key: null, value: Buffer.alloc(300), headers: [] },
    { timestamp: 1_700_000_000_500n, key: Buffer.alloc(0), value: null, headers: [] },
  ];
  const golden = Buffer.from(stdout.trim(), 'hex');
  const built = buildBatch({
    records, timestamp: 0n, baseOffset: 41n, producerId: 77n, producerEpoch: 3, baseSequence: 5, isTransactional: true,
    partitionLeaderEpoch: 9,
  });
  assert.equal(built.toString('hex'), golden.toString('hex'));
  const [batch, ...more] = parseBatches(golden);
  assert.ok(batch !== undefined && more.length === 0);
  assert.deepEqual(readRecords(batch), records.map((record, i) => ({ offset: 41n + BigInt(i), ...record })));
});
