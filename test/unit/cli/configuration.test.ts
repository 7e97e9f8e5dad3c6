import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { configure } from '../../../src/cli/configuration.js';
import { makeTempDirectory, removeDirectory } from '../../support/temp.js';

const directory = makeTempDirectory('configuration');
after(() => removeDirectory(directory));

function file(text: string): string {
  const path = join(directory, 'server.properties');
  writeFileSync(path, text);
  return path;
}

const messageOf = (path: string | undefined, overrides: Record<string, string> = {}): string => {
  try {
    configure(path, new Map(Object.entries(overrides)));
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

test('an override counts more than the file', () => {
  const { config } = configure(file('log.dirs=/a\nnum.partitions=3\n'), new Map([['num.partitions', '5']]));
  assert.deepEqual([config.logDir, config.settings.get('num.partitions')], ['/a', 5]);
});

test('an error says where the value stands', () => {
  const path = file('num.partitions=none\n');
  assert.match(messageOf(path), new RegExp(`^${path}: Invalid value none`));
  assert.match(messageOf(path, { 'num.partitions': 'few' }), /^--override: Invalid value few/);
  assert.match(messageOf(undefined, { 'num.partitions': 'few' }), /^--override: Invalid value few/);
});

test('a file that cannot be read', () => {
  assert.match(messageOf(join(directory, 'none')), /none cannot be read: there is no such file/);
  assert.match(messageOf(directory), /it is a directory/);
});
