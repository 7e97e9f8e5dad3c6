// The control plane's codec against the bytes that the engine's codec of Produce and Fetch is held to (test/native/kafka/golden_test.cc).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fetchApi } from '../../src/protocol/messages/01-fetch.js';
import { produceApi } from '../../src/protocol/messages/00-produce.js';
import { repositoryRoot } from '../support/paths.js';
import { GOLDEN_FILE, goldenMessages } from './produce-fetch-messages.js';

const codecs = {
  ProduceRequest: produceApi.request,
  ProduceResponse: produceApi.response,
  FetchRequest: fetchApi.request,
  FetchResponse: fetchApi.response,
} as const;

test('Produce and Fetch of every version read and write as Kafka\'s own', () => {
  const lines = readFileSync(join(repositoryRoot, GOLDEN_FILE), 'utf8').trimEnd().split('\n').slice(1);
  assert.equal(lines.length, goldenMessages.length);
  for (const line of lines) {
    const [name, version, hex] = line.split(' ') as [keyof typeof codecs, string, string];
    const codec = codecs[name];
    const value = codec.decode(Buffer.from(hex, 'hex'), Number(version));
    assert.equal(codec.encode(Number(version), value as never).toString('hex'), hex, `${name} ${version}`);
  }
});
