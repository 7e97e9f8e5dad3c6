import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultConfig } from '../../../src/config/broker-config.js';
import { logSettings } from '../../../src/broker/log-settings.js';

const { settings } = defaultConfig();

test('a cleanable ratio that is not a number, which Kafka takes, means never', () => {
  assert.equal(logSettings(new Map([['min.cleanable.dirty.ratio', '0.25']]), settings).minCleanableRatio, 0.25);
  const { minCleanableRatio } = logSettings(new Map([['min.cleanable.dirty.ratio', 'NaN']]), settings);
  assert.ok(minCleanableRatio > 1);
});

test('a compacted log rolls in time for its greatest lag (KIP-354), another does not', () => {
  const segmentMs = (texts: Record<string, string>) => logSettings(new Map(Object.entries({ 'segment.ms': '5000', ...texts })), settings).segmentMs;
  assert.equal(segmentMs({ 'max.compaction.lag.ms': '2000' }), 5000);
  assert.equal(segmentMs({ 'cleanup.policy': 'compact', 'max.compaction.lag.ms': '2000' }), 2000);
  assert.equal(segmentMs({ 'cleanup.policy': 'compact,delete', 'max.compaction.lag.ms': '2000' }), 2000);
  assert.equal(segmentMs({ 'cleanup.policy': 'compact', 'max.compaction.lag.ms': '9000' }), 5000);
  assert.equal(segmentMs({ 'cleanup.policy': 'compact' }), 5000);
});
