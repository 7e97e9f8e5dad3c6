import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError, parseCommandLine } from '../../../src/cli/arguments.js';

const run = (...args: string[]) => parseCommandLine(args);

test('a file and overrides, in any order, the last of two counts', () => {
  assert.deepEqual(run(), { kind: 'run', file: undefined, overrides: new Map() });
  assert.deepEqual(run('--override', 'a=1', 'x.properties', '--override=b=2=3', '--override', 'a= 4 '), {
    kind: 'run', file: 'x.properties', overrides: new Map([['a', '4'], ['b', '2=3']]),
  });
  assert.deepEqual(run('--override', 'a='), { kind: 'run', file: undefined, overrides: new Map([['a', '']]) });
});

test('help and version', () => {
  assert.deepEqual([run('x', '--help').kind, run('-h').kind, run('--version').kind], ['help', 'help', 'version']);
});

test('what is not understood', () => {
  for (const [args, expected] of [
    [['--override'], /not of the form --override property=value/], [['--override', 'a'], /--override a is not of the form/],
    [['--override', '=1'], /not of the form/], [['a', 'b'], /two files, a and b/], [['--daemon'], /--daemon is not an option/],
  ] as const) {
    assert.throws(() => parseCommandLine(args), (error: unknown) => error instanceof UsageError && expected.test(error.message));
  }
});
