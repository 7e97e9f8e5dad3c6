import assert from 'node:assert/strict';
import { test } from 'node:test';
import { javaStringHash, partitionOf } from '../../../src/coordinator/partition-of.js';

// The values are those of String.hashCode in Java 17.
test('texts have the hash that Java gives them', () => {
  assert.equal(javaStringHash(''), 0);
  assert.equal(javaStringHash('a'), 97);
  assert.equal(javaStringHash('hello world'), 1794106052);
  assert.equal(javaStringHash('console-consumer-12345'), 158455506);
  assert.equal(javaStringHash('grüße-😀'), 347391577);
  assert.equal(javaStringHash('polygenelubricants'), -2147483648);
});

test('groups belong where Kafka has them', () => {
  assert.equal(partitionOf('hello world', 50), 2);
  assert.equal(partitionOf('console-consumer-12345', 50), 6);
  assert.equal(partitionOf('polygenelubricants', 50), 0, 'the smallest hash has no absolute value');
  assert.equal(partitionOf('', 50), 0);
});
