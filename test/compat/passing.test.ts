// The list of what passes only grows: whatever was in it in an earlier commit is in it now.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PassingList, passingFile, readPassingList } from '../support/compat.js';
import { repositoryRoot } from '../support/paths.js';
import { run } from '../support/process.js';

async function git(...args: string[]): Promise<string> {
  const result = await run('git', ['-C', repositoryRoot, ...args]);
  if (result.exitCode !== 0) throw new Error(result.stderr);
  return result.stdout;
}

test('the list of what passes never shrank', async (context) => {
  const now = readPassingList();
  let commits: string[];
  try {
    commits = (await git('log', '--format=%H', '--', passingFile)).split('\n').filter((line) => line !== '');
  } catch {
    context.skip('no git history here');
    return;
  }
  const lost = new Set<string>();
  for (const commit of commits) {
    let past: PassingList;
    try {
      past = JSON.parse(await git('show', `${commit}:${passingFile}`)) as PassingList;
    } catch {
      continue; // The commit that took the file away has none.
    }
    for (const [client, names] of Object.entries(past)) {
      for (const name of names) if (now[client]?.includes(name) !== true) lost.add(`${client}: ${name}`);
    }
  }
  assert.deepEqual([...lost], []);
});

test('the list is sorted and names nothing twice', () => {
  const list = readPassingList();
  assert.deepEqual(Object.keys(list), Object.keys(list).sort());
  for (const [client, names] of Object.entries(list)) assert.deepEqual(names, [...new Set(names)].sort(), client);
});
