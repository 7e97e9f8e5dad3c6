// A setting that the table calls served is looked at somewhere, itself or by the topic setting that stands for it; one that is ignored is not.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { allSettings, allTopicSettings } from '../../../src/config/settings/index.js';
import { repositoryRoot } from '../../support/paths.js';

const source = readdirSync(join(repositoryRoot, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.parentPath.includes(join('config', 'settings')))
  .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
  .join('\n');
const isUsed = (name: string): boolean => source.includes(`'${name}'`);

test('what is served is used', () => {
  const unusedTopic = allTopicSettings.filter(({ use, name }) => use === 'served' && !isUsed(name)).map(({ name }) => name);
  const unused = allSettings().filter(({ use, name }) => {
    const byTopics = allTopicSettings.some((topic) => (topic.synonyms as readonly string[]).includes(name) && isUsed(topic.name));
    return use === 'served' && !isUsed(name) && !byTopics;
  }).map(({ name }) => name);
  assert.deepEqual({ unused, unusedTopic }, { unused: [], unusedTopic: [] });
});
