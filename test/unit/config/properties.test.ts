import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProperties } from '../../../src/config/properties.js';

const read = (text: string): Record<string, string> => Object.fromEntries(parseProperties(text));

test('separators: =, : and blanks, one of them', () => {
  assert.deepEqual(read('a=1\nb : 2\nc 3\nd==4\ne:=5\nf\ng = x = y \nh\t=\tz'), { a: '1', b: '2', c: '3', d: '=4', e: '=5', f: '', g: 'x = y ', h: 'z' });
});

test('comments and blank lines', () => {
  assert.deepEqual(read('# a=1\n  ! b=2\n\n \t\nc=3 # no comment\n#d \\\ne=5'), { c: '3 # no comment', e: '5' });
});

test('lines that go on', () => {
  assert.deepEqual(read('a=1,\\\n   2,\\\n\t3\nb=x\\\\\nc=y\\\\\\\nz\nd=\\\n#no comment'), { a: '1,2,3', b: 'x\\', c: 'y\\z', d: '#no comment' });
});

test('escapes', () => {
  assert.deepEqual(read('a\\ b\\=c\\:d=1\nb=\\t\\n\\r\\f\\q\\u0041\\\\\nc=C:\\\\dir\n\\#e=2'), { 'a b=c:d': '1', b: '\t\n\r\fqA\\', c: 'C:\\dir', '#e': '2' });
});

test('a \\u that is no character', () => {
  for (const text of ['a=\\uZZZZ', 'a\\u12=1', 'a=\\\\\\u', 'a=1\nb=\\u00e']) assert.throws(() => read(text), /four hexadecimal digits/);
  assert.deepEqual(read('a=\\\\uZZZZ\n#\\u\nb=\\u00e9'), { a: '\\uZZZZ', b: '\u00e9' });
});

test('what continues an empty line is a line of its own', () => {
  assert.deepEqual(read('\\\n# a=1\n\\\n\\\n!b\nc=\\\n#d'), { c: '#d' });
});

test('line ends of all kinds, a last line without one, and the last of two wins', () => {
  assert.deepEqual(read('a=1\r\nb=2\rc=3\na=4'), { a: '4', b: '2', c: '3' });
  assert.deepEqual(read('a=1\\'), { a: '1' });
  assert.deepEqual(read(''), {});
});
