import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partitionOf } from '../../../src/coordinator/partition-of.js';

test('groups belong where Kafka has them', () => {
  assert.equal(partitionOf('hello world', 50), 2);
  assert.equal(partitionOf('console-consumer-12345', 50), 6);
  assert.equal(partitionOf('polygenelubricants', 50), 0, 'the smallest hash has no absolute value');
  assert.equal(partitionOf('', 50), 0);
});
