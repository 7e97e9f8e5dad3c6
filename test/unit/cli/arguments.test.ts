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

test('verify', () => {
  const expected = { kind: 'verify', directory: '/d', topic: undefined, isJson: false };
  assert.deepEqual(run('verify', '/d'), expected);
  assert.deepEqual(run('verify', '--json', '--topic', 't', '/d'), { ...expected, topic: 't', isJson: true });
  assert.deepEqual(run('verify', '/d', '--topic=t'), { ...expected, topic: 't' });
  assert.equal(run('verify', '--help').kind, 'help');
  for (const [args, message] of [
    [[], /needs a data directory/], [['a', 'b'], /two directories, a and b/], [['a', '--topic'], /names no topic/], [['a', '--repair'], /--repair is not an option of verify/],
  ] as const) {
    assert.throws(() => run('verify', ...args), (error: unknown) => error instanceof UsageError && message.test(error.message));
  }
});

test('what is not understood', () => {
  for (const [args, expected] of [
    [['--override'], /not of the form --override property=value/], [['--override', 'a'], /--override a is not of the form/],
    [['--override', '=1'], /not of the form/], [['a', 'b'], /two files, a and b/], [['--daemon'], /--daemon is not an option/],
  ] as const) {
    assert.throws(() => parseCommandLine(args), (error: unknown) => error instanceof UsageError && expected.test(error.message));
  }
});
