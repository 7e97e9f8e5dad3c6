// The guard by instruction counts: what is read from callgrind's dumps, and what counts as a difference.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { repositoryRoot } from '../../support/paths.js';

const load = async <T>(file: string): Promise<T> => (await import(pathToFileURL(join(repositoryRoot, 'scripts', 'test', file)).href)) as T;
const { countsOf } = await load<{ countsOf(dump: string, isWanted: (name: string) => boolean): { name: string | undefined; instructions: number } }>('callgrind.mjs');
const { differences } = await load<{ differences(expected: Record<string, number>, found: Record<string, number>, tolerance?: number): string[] }>('instructions.mjs');

const DUMP = `version: 1
creator: callgrind-3.19.0
desc: Trigger: Client Request: batches appended
events: Ir

ob=/a/program
fl=/a/source.cc
fn=sluice::Append(int)
10 100
+1 5
cfn=sluice::Crc(int)
calls=3 20
+2 900
* 7
fn=memcpy
5 40
fn=sluice::Crc(int)
20 900
`;

test('what a function spends itself counts, what it calls does not count twice', () => {
  const counted = countsOf(DUMP, (name) => name.startsWith('sluice::'));
  assert.deepEqual(counted, { name: 'batches appended', instructions: 100 + 5 + 7 + 900 });
});

test('more and less than the tolerance are both told, and so is what is not in both', () => {
  const expected = { a: 1000, b: 1000, c: 1000, gone: 1 };
  const lines = differences(expected, { a: 1029, b: 1031, c: 960, new: 1 }, 0.03);
  assert.deepEqual(lines.map((line) => line.slice(0, line.indexOf(':'))), ['b', 'c', 'gone', 'new']);
  assert.match(lines[0] ?? '', /1,031 instructions instead of 1,000 \(\+3\.1 %\)/);
  assert.deepEqual(differences(expected, expected), []);
});
