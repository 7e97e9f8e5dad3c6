// docs/embedded.md names every option and every error code, and none that there is not.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LOG_ERRORS } from '../../../src/storage/errors.js';
import { OPTION_NAMES } from '../../../src/storage/options.js';
import { repositoryRoot } from '../../support/paths.js';

const text = readFileSync(join(repositoryRoot, 'docs', 'embedded.md'), 'utf8');

/** The rows of the table below a heading, by their first cell. */
function rows(heading: string): string[][] {
  const [, section = ''] = text.split(`## ${heading}\n`);
  const lines = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()));
}

test('the options of openLog', () => {
  assert.deepEqual(rows('Options of openLog').map(([name]) => name), OPTION_NAMES.map((name) => `\`${name}\``));
});

test('the codes of errors', () => {
  assert.deepEqual(rows('Errors'), Object.entries(LOG_ERRORS).map(([code, { meaning }]) => [`\`${code}\``, meaning]));
});
