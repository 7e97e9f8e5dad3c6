// The list of what passes, test/compat/PASSING.json, and the tests that are held against it. A test that is in the list must
// pass. One that is not in it may fail (it is reported as a todo), and must be added as soon as it passes. The list only
// grows: test/compat/passing.test.ts compares it with its own past.
// Against Apache Kafka itself (SLUICE_COMPAT_TARGET=kafka) every test must pass: what the oracle does not do is not asked.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { targetKind } from './broker.js';
import { repositoryRoot } from './paths.js';

export const passingFile = join('test', 'compat', 'PASSING.json');

/** Not an expectation of speed: a client that waits for ever ends its test, not the run. */
const TEST_TIMEOUT_MS = 120_000;

export type PassingList = Readonly<Record<string, readonly string[]>>;

export function readPassingList(): PassingList {
  return JSON.parse(readFileSync(join(repositoryRoot, passingFile), 'utf8')) as PassingList;
}

export interface CompatSuite {
  /** Declares one test of this client. Names are unique within the client. */
  test(name: string, body: (context: TestContext) => Promise<void>, options?: { timeoutMs?: number }): void;
}

export function compatSuite(client: string): CompatSuite {
  const isOracle = targetKind() === 'kafka';
  const listed = new Set(readPassingList()[client] ?? []);
  const declared = new Set<string>();
  const newlyPassing: string[] = [];
  after(() => {
    if (isOracle) return;
    const gone = [...listed].filter((name) => !declared.has(name));
    assert.deepEqual(gone, [], `listed in ${passingFile} under ${client}, but there is no such test any more`);
    if (process.env['SLUICE_COMPAT_RECORD'] === '1') record(client, newlyPassing);
    else assert.deepEqual(newlyPassing, [], `these pass now: add them to ${passingFile} under ${client} (SLUICE_COMPAT_RECORD=1 does it)`);
  });
  return {
    test(name, body, options) {
      assert.ok(!declared.has(name), `two tests named ${name}`);
      declared.add(name);
      const mustPass = isOracle || listed.has(name);
      const todo = mustPass ? false : 'not yet in the list of what passes';
      test(`${client}: ${name}`, { todo, timeout: options?.timeoutMs ?? TEST_TIMEOUT_MS }, async (context) => {
        await body(context);
        if (!mustPass) newlyPassing.push(name);
      });
    },
  };
}

function record(client: string, names: readonly string[]): void {
  const list = { ...readPassingList() };
  list[client] = [...new Set([...(list[client] ?? []), ...names])].sort();
  const sorted = Object.fromEntries(Object.entries(list).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(join(repositoryRoot, passingFile), `${JSON.stringify(sorted, null, 2)}\n`);
}
