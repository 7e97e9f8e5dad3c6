import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inHashMapOrder, javaStringHash } from '../../../src/util/java-hash.js';

// The values are those of String.hashCode in Java 17.
test('texts have the hash that Java gives them', () => {
  assert.equal(javaStringHash(''), 0);
  assert.equal(javaStringHash('a'), 97);
  assert.equal(javaStringHash('hello world'), 1794106052);
  assert.equal(javaStringHash('console-consumer-12345'), 158455506);
  assert.equal(javaStringHash('grüße-😀'), 347391577);
  assert.equal(javaStringHash('polygenelubricants'), -2147483648);
});

// The orders are those of java.util.HashMap in Java 17; the second is of a map that grew once.
test('keys come in the order of a HashMap', () => {
  const ordered = (keys: string) => inHashMapOrder(keys.split(' '), (key) => key).join(' ');
  assert.equal(ordered('min.cleanable.dirty.ratio leader.replication.throttled.replicas local.retention.ms'), 'local.retention.ms leader.replication.throttled.replicas min.cleanable.dirty.ratio');
  assert.equal(
    ordered('retention.ms cleanup.policy max.message.bytes compression.type segment.bytes preallocate flush.messages index.interval.bytes retention.bytes min.insync.replicas segment.ms segment.jitter.ms flush.ms delete.retention.ms'),
    'compression.type max.message.bytes min.insync.replicas preallocate segment.jitter.ms index.interval.bytes retention.bytes delete.retention.ms cleanup.policy flush.ms retention.ms segment.bytes segment.ms flush.messages',
  );
});
