import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { configure } from '../../../src/cli/configuration.js';
import { makeTempDirectory, removeDirectory } from '../../support/temp.js';

const directory = makeTempDirectory('configuration');
after(() => removeDirectory(directory));

function file(text: string | Buffer): string {
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

test('a file is read as Java reads it, and what that does to other characters is said', () => {
  const { config, warnings } = configure(file(Buffer.from('log.dirs=/d\\u00fc/caf\u00e9\n', 'latin1')), new Map());
  assert.equal(config.logDir, '/d\u00fc/caf\u00e9');
  assert.match(warnings[0] ?? '', /in ISO-8859-1; .* as \\uXXXX in: log\.dirs$/);
  assert.deepEqual(configure(file('# d\u00fcn\nlog.dirs=/a\n'), new Map()).warnings.filter((line) => line.includes('ISO')), []);
});

test('what would make another setting of the first one ends the start', () => {
  assert.match(messageOf(file('\ufeffauthorizer.class.name=x.Y\n')), /begins with a byte order mark/);
  assert.match(messageOf(file(Buffer.from('\ufeffa=1\n', 'utf16le'))), /begins with a byte order mark/);
  assert.match(messageOf(file('log.dirs=C:\\users\n')), /'log\.dirs=C:\\users' has a \\u without .* write \\\\u for a backslash and a u$/);
});

test('a property in the place of the file', () => {
  assert.match(messageOf('num.partitions=3'), /to set a property, write: npm start -- --override num\.partitions=3$/);
});

test('a file that cannot be read', () => {
  assert.match(messageOf(join(directory, 'none')), /none cannot be read: there is no such file/);
  assert.match(messageOf(directory), /it is a directory/);
});
