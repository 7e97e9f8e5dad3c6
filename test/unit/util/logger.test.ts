import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineLogger } from '../../../src/util/logger.js';

test('one line a message, warnings and errors apart, nothing that a terminal would obey', () => {
  const out: string[] = [];
  const err: string[] = [];
  const log = lineLogger({ out: { write: (text) => out.push(text) }, err: { write: (text) => err.push(text) }, now: () => 1_700_000_000_123 });
  log.info('ready');
  log.warn('client "a\nb\u001b[31m\u2028" is gone');
  log.error('no');
  assert.deepEqual(out, ['2023-11-14T22:13:20.123Z INFO  ready\n']);
  assert.deepEqual(err, ['2023-11-14T22:13:20.123Z WARN  client "a\\nb\\u001b[31m\\u2028" is gone\n', '2023-11-14T22:13:20.123Z ERROR no\n']);
});
