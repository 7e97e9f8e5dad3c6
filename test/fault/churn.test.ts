// A slice of what `npm run soak -- churn` does for an hour: what topics, groups and connections took is given back.
import { test } from 'node:test';
import { churn } from '../soak/churn.js';
import { seededRandom } from '../support/crash-check.js';

const TEST_TIMEOUT_MS = 240_000;

test('descriptors, threads and maps are what they were when everything is deleted', { timeout: TEST_TIMEOUT_MS }, () =>
  churn({ seed: Math.floor(seededRandom('churn')() * 2 ** 32), warmUpMs: 2000, warmUpTopics: 0, churnMs: 8000, steadyMs: 1000, limitMs: 60_000, idleMs: 8000, isLong: false }));
