import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultConfig } from '../../../src/config/broker-config.js';
import { EffectiveSettings } from '../../../src/broker/config-service.js';
import { logSettings, planeSettings } from '../../../src/broker/log-settings.js';
import { applyRecords } from '../../../src/metadata/apply.js';
import { emptyImage, resourceTypes } from '../../../src/metadata/image.js';
import { makeRecord } from '../../../src/metadata/records.js';
import { configRecord } from '../../../src/protocol/records/metadata/index.js';

const { settings } = defaultConfig();

test('limits of addresses that another program has left in the metadata, by names of hosts, do not count', () => {
  const lines: string[] = [];
  const effective = new EffectiveSettings(defaultConfig(), { info() {}, warn: (line: string) => void lines.push(line), error() {}, debug() {} } as never);
  const left = applyRecords(emptyImage, [
    makeRecord(configRecord, 0, { resourceType: resourceTypes.broker, resourceName: '', name: 'max.connections.per.ip.overrides', value: 'somewhere:10' }).record,
    makeRecord(configRecord, 0, { resourceType: resourceTypes.broker, resourceName: '', name: 'max.connections', value: '77' }).record,
  ]);
  const plane = planeSettings(effective.of(left), 1, []);
  assert.deepEqual(plane.perIpOverrides, []);
  assert.equal(plane.maxConnections, 77);
  assert.match(lines.join('\n'), /all brokers: max\.connections\.per\.ip\.overrides=somewhere:10 is not valid and does not count/);
});

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
