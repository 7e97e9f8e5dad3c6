import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { settingsDocument } from '../../../scripts/docs/settings.js';
import { allSettings, allTopicSettings } from '../../../src/config/settings/index.js';
import { repositoryRoot } from '../../support/paths.js';

test('docs/settings.md is what the table says (npm run docs writes it)', () => {
  assert.equal(readFileSync(join(repositoryRoot, 'docs', 'settings.md'), 'utf8'), settingsDocument());
});

test('every setting has prose', () => {
  for (const { name, prose } of [...allSettings(), ...allTopicSettings]) assert.match(prose, /^\S.{10,}\.$/s, name);
});
