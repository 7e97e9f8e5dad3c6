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
