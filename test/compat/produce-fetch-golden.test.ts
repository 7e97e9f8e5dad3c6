// The fixture of Produce and Fetch is what Apache Kafka's own classes write. SLUICE_WRITE_GOLDEN=1 writes it anew.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runJava } from '../support/java.js';
import { repositoryRoot } from '../support/paths.js';
import { GOLDEN_FILE, goldenMessages } from '../wire/produce-fetch-messages.js';

test('golden bytes of Produce and Fetch are Kafka\'s', async () => {
  const input = goldenMessages
    .map(({ name, version, json }) => `org.apache.kafka.common.message.${name}Data\t${version}\t${JSON.stringify(json)}`)
    .join('\n');
  const { stdout, stderr, exitCode } = await runJava('GoldenBytes', ['messages'], { input, timeoutMs: 120_000 });
  assert.equal(exitCode, 0, stderr);
  const bytes = stdout.trimEnd().split('\n');
  assert.equal(bytes.length, goldenMessages.length);
  const lines = goldenMessages.map(({ name, version }, index) => `${name} ${version} ${bytes[index]}`);
  for (const line of lines) assert.match(line, /^\w+ \d+ [0-9a-f]+$/);
  const text = ['# Made by test/compat/produce-fetch-golden.test.ts with Apache Kafka 4.4.0. Not to be edited.', ...lines, ''].join('\n');
  const file = join(repositoryRoot, GOLDEN_FILE);
  if (process.env['SLUICE_WRITE_GOLDEN'] === '1') writeFileSync(file, text);
  assert.equal(readFileSync(file, 'utf8'), text);
});
