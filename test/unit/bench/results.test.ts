import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { UsageError } from '../../../bench/options.js';
import { Results, describeRun, readResults } from '../../../bench/suite/results.js';
import { makeTempDirectory, removeDirectory } from '../../support/temp.js';

test('a run does not add to the results of another one', () => {
  const parent = makeTempDirectory('results');
  try {
    const directory = join(parent, 'out');
    const first = describeRun(['b5'], 1);
    new Results(directory, first);
    assert.throws(() => new Results(directory, describeRun(['b8'], 1)), (error) => error instanceof UsageError && error.message.includes(directory));
    assert.deepEqual(readResults(directory), { run: first, measurements: [] });
  } finally {
    removeDirectory(parent);
  }
});
