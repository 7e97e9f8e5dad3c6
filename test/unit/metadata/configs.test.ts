import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyRecords } from '../../../src/metadata/apply.js';
import { type ConfigRules, type ResourceChange, configOperations, planConfigChanges } from '../../../src/metadata/configs.js';
import { emptyImage, overridesOf, resourceTypes } from '../../../src/metadata/image.js';
import { makeRecord } from '../../../src/metadata/records.js';
import { errorName } from '../../../src/protocol/errors.js';
import { topicRecord } from '../../../src/protocol/records/metadata/index.js';

const { set, delete: remove, append, subtract } = configOperations;
const { topic, broker } = resourceTypes;

const rules: ConfigRules = {
  brokerId: 1,
  isList: (_type, name) => (name === 'list' ? true : name === 'unknown' ? undefined : false),
  inherited: (_type, name) => (name === 'list' ? 'delete' : null),
  problem: (_type, _name, overrides) => (overrides.get('number') === 'x' ? 'not a number' : null),
};

const base = applyRecords(emptyImage, [makeRecord(topicRecord, 0, { name: 't', topicId: 'Zlgz4xdyR9qfv0L6XgrA9Q' }).record]);

type Change = [name: string, operation: number, value: string | null];

function resource(changes: Change[], more: Partial<ResourceChange> = {}): ResourceChange {
  return {
    resourceType: topic, resourceName: 't', changes: changes.map(([name, operation, value]) => ({ name, operation, value })), ...more,
  };
}

function run(image: typeof base, ...resources: ResourceChange[]) {
  const { records, result } = planConfigChanges(image, resources, rules);
  return {
    image: applyRecords(image, records.map(({ record }) => record)),
    count: records.length,
    said: result.map((outcome) => ('ok' in outcome ? 'ok' : `${errorName(outcome.error.code)}: ${outcome.error.message}`)),
  };
}

const overrides = (image: typeof base) => Object.fromEntries(overridesOf(image, topic, 't'));

test('sets, deletes, and leaves the others alone', () => {
  const first = run(base, resource([['a', set, '1'], ['b', set, '2']]));
  const second = run(first.image, resource([['a', remove, null], ['c', set, '3']]));
  assert.deepEqual(overrides(second.image), { b: '2', c: '3' });
  assert.equal(run(second.image, resource([['b', set, '2']])).count, 0, 'what is so already needs no record');
});

test('lists: appending starts from the inherited value and adds no doubles, subtracting takes away', () => {
  const first = run(base, resource([['list', append, 'compact,delete']]));
  assert.deepEqual(overrides(first.image), { list: 'delete,compact' });
  const second = run(first.image, resource([['list', subtract, 'delete,other']]));
  assert.deepEqual(overrides(second.image), { list: 'compact' });
  const doubles = run(base, resource([['list', set, 'a,b,a,c']])).image;
  const listAfter = (operation: number, value: string) => overrides(run(doubles, resource([['list', operation, value]])).image)['list'];
  assert.equal(listAfter(append, 'b,d,d,a'), 'a,b,a,c,d');
  assert.equal(listAfter(subtract, 'a,x'), 'b,a,c');
  assert.equal(listAfter(subtract, 'a,c,a'), 'b');
  assert.deepEqual(run(base, resource([['number', append, '1']])).said, [
    "INVALID_CONFIG: Can't APPEND to key number because its type is not LIST.",
  ]);
  assert.match(run(base, resource([['unknown', subtract, '1']])).said[0]!, /^INVALID_CONFIG/);
});

test('replacing all takes away what is not named', () => {
  const first = run(base, resource([['a', set, '1'], ['b', set, '2']]));
  const second = run(first.image, resource([['b', set, '3']], { replacesAll: true }));
  assert.deepEqual(overrides(second.image), { b: '3' });
});

test('each resource fails for itself', () => {
  const { said, image } = run(
    base,
    resource([['a', set, '1']]),
    resource([['a', set, '1']], { resourceName: 'none' }),
    resource([['a', set, '1']], { resourceName: '' }),
    resource([['a', set, '1']], { resourceName: 'b d' }),
    resource([['number', set, 'x']], { resourceType: broker, resourceName: '1' }),
    resource([['a', set, '1']], { resourceType: broker, resourceName: '2' }),
    resource([['a', set, '1']], { resourceType: broker, resourceName: 'two' }),
    resource([['a', set, '1']], { resourceType: resourceTypes.brokerLogger, resourceName: '1' }),
    resource([['a', set, '1']], { resourceType: 99, resourceName: '1' }),
  );
  assert.deepEqual(said.map((text) => text.split(':')[0]), [
    'ok', 'UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_REQUEST', 'INVALID_TOPIC_EXCEPTION', 'INVALID_REQUEST', 'INVALID_REQUEST',
    'INVALID_REQUEST', 'INVALID_REQUEST', 'INVALID_REQUEST',
  ]);
  assert.deepEqual(overrides(image), { a: '1' });
});

test('doubles, nulls, unknown operations and invalid values', () => {
  assert.deepEqual(run(base, resource([['a', set, '1']]), resource([['b', set, '1']])).said, [
    'INVALID_REQUEST: Each resource must appear at most once.', 'INVALID_REQUEST: Each resource must appear at most once.',
  ]);
  assert.deepEqual(run(base, resource([['a', set, '1'], ['a', set, '2']])).said, ['INVALID_REQUEST: Error due to duplicate config keys']);
  assert.deepEqual(run(base, resource([['a', set, null]])).said, ['INVALID_REQUEST: Null value not supported for : a']);
  assert.match(run(base, resource([['a', 9, '1']])).said[0]!, /^INVALID_REQUEST/);
  const wrong = run(base, resource([['ok', set, '1'], ['number', set, 'x']]));
  assert.deepEqual(wrong.said, ['INVALID_CONFIG: not a number']);
  assert.deepEqual(overrides(wrong.image), {});
});

test('a broker gets its record even when nothing changes, as in Kafka, where that reloads files', () => {
  const change = resource([['a', set, '1']], { resourceType: broker, resourceName: '' });
  const first = run(base, change);
  assert.equal(run(first.image, change).count, 1);
});
