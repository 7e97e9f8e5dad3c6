// Whatever goes wrong within a handler, the client gets an answer that it can read: for every API, in every version.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError } from '../../../src/metadata/kafka-error.js';
import { dispatch } from '../../../src/kafka/dispatch.js';
import { handlers } from '../../../src/kafka/handlers/index.js';
import { Registry } from '../../../src/kafka/registry.js';
import { type BrokerServices } from '../../../src/kafka/services.js';
import { decodeResponse } from '../../../src/protocol/headers.js';
import { errorCode } from '../../../src/protocol/errors.js';
import { type Field, type FieldTable, type Input } from '../../../src/protocol/schema.js';
import { ZERO_UUID } from '../../../src/protocol/uuid.js';
import { hasVersion, parseVersions } from '../../../src/protocol/versions.js';
import { TestLog } from './fake-broker.js';

/** A request with one element in each array. */
function sample(fields: FieldTable, version: number): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields)
    .filter(([, field]) => hasVersion(parseVersions(field.versions), version))
    .map(([name, field]) => [name, sampleOf(field, version, name === 'resourceType')]));
}

function sampleOf(field: Field, version: number, isResource = false): unknown {
  const { type } = field;
  if (type === 'struct') return sample(field.of!, version);
  if (type === '[]struct') return [sample(field.of!, version)];
  if (type.startsWith('[]')) return [sampleOf({ ...field, type: type.slice(2) as Field['type'] }, version)];
  switch (type) {
    case 'string': return 'x';
    case 'bool': return true;
    // Kinds of things: 0 is a group; of resources 2 is a topic.
    case 'int8': return isResource ? 2 : 0;
    case 'int64': return 1n;
    // Where there is a name, too, both would contradict each other.
    case 'uuid': return ZERO_UUID;
    case 'bytes':
    case 'records': return Buffer.from('x');
    default: return 1;
  }
}

/** Services of which nothing works. */
function brokenServices(log: TestLog, error: () => Error): BrokerServices {
  return new Proxy({ log } as unknown as BrokerServices, {
    get(target, name) {
      if (name === 'log') return target.log;
      throw error();
    },
  });
}

/** Every error code anywhere in an answer. */
function codesIn(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(codesIn);
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return [];
  return Object.entries(value).flatMap(([key, each]) => (key === 'errorCode' ? [each as number] : codesIn(each)));
}

/** These need nothing of the broker for what the sample asks, or tell errors in a way of their own. */
const NEEDS_NOTHING = new Set(['InitProducerId', 'DescribeCluster', 'ListConfigResources', 'ApiVersions', 'ConsumerGroupHeartbeat']);

for (const [what, error, code] of [
  ['an error of Kafka\'s', () => new KafkaError('KAFKA_STORAGE_ERROR', 'the disk is gone'), 'KAFKA_STORAGE_ERROR'],
  ['a bug', () => new TypeError('undefined is not a function'), 'UNKNOWN_SERVER_ERROR'],
] as const) {
  test(`${what} is told in every API and version`, async () => {
    const registry = new Registry(handlers);
    for (const { api, versions } of registry.handlers()) {
      for (let version = versions.min; version <= versions.max; version += 1) {
        const log = new TestLog();
        const body = api.request.encode(version, sample(api.request.fields, version) as Input<FieldTable>);
        const outcome = await dispatch(registry, {
          apiKey: api.key, apiVersion: version, correlationId: 9, clientId: 'c', peer: '127.0.0.1:1', listener: 0, receivedMs: 0, body,
        }, brokenServices(log, error));
        const where = `${api.name} version ${version}`;
        assert.equal(outcome.kind, 'respond', `${where}: ${JSON.stringify(outcome)}`);
        if (outcome.kind !== 'respond') continue;
        const answer = decodeResponse(api, version, outcome.response);
        assert.equal(answer.correlationId, 9);
        const codes = codesIn(answer.body);
        if (NEEDS_NOTHING.has(api.name)) continue;
        // As in Kafka, this answer has no place for an error in its first versions.
        const hasNoPlace = api.name === 'DescribeLogDirs' && version < 3;
        if (codes.length > 0 && !hasNoPlace) assert.ok(codes.includes(errorCode(code)), `${where} says ${codes.join(', ')}`);
        if (code === 'UNKNOWN_SERVER_ERROR') assert.equal(log.lines.length, 1, where);
      }
    }
  });
}

test('bytes that are no request close the connection or are answered, and nothing else', async (context) => {
  const seed = Number(process.env['SLUICE_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  context.diagnostic(`seed ${seed}`);
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const registry = new Registry(handlers);
  const log = new TestLog();
  const broker = brokenServices(log, () => new KafkaError('KAFKA_STORAGE_ERROR'));
  const seen = { respond: 0, close: 0 };
  for (let i = 0; i < 5000; i += 1) {
    const all = registry.handlers();
    const { api, versions } = all[random(all.length)]!;
    const version = versions.min + random(versions.max - versions.min + 1);
    let body = Buffer.from(api.request.encode(version, sample(api.request.fields, version) as Input<FieldTable>));
    for (let flips = 1 + random(4); flips > 0 && body.length > 0; flips -= 1) body[random(body.length)] = random(256);
    if (random(3) === 0) body = body.subarray(0, random(body.length + 1));
    const outcome = await dispatch(registry, {
      apiKey: api.key, apiVersion: version, correlationId: i, clientId: null, peer: '[::1]:1', listener: 0, receivedMs: 0, body,
    }, broker);
    seen[outcome.kind] += 1;
    if (outcome.kind === 'respond') decodeResponse(api, version, outcome.response);
  }
  assert.ok(seen.respond > 100 && seen.close > 100, JSON.stringify(seen));
  assert.deepEqual(log.lines, []);
});
