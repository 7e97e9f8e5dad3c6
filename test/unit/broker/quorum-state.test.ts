import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readQuorumState, writeQuorumState } from '../../../src/broker/quorum-state.js';

async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-unit-'));
  try {
    await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test('what is written is read again', () => withDirectory(async (directory) => {
  assert.deepEqual(await readQuorumState(directory, 1), { leaderEpoch: 0, version: 0 });
  await writeQuorumState(directory, 1, { leaderEpoch: 7, version: 0 });
  assert.deepEqual(await readQuorumState(directory, 1), { leaderEpoch: 7, version: 0 });
  await writeQuorumState(directory, 1, { leaderEpoch: 8, version: 1 });
  assert.deepEqual(await readQuorumState(directory, 1), { leaderEpoch: 8, version: 1 });
}));

test('both forms as Kafka 4.4 writes them', () => withDirectory(async (directory) => {
  await writeQuorumState(directory, 1, { leaderEpoch: 2, version: 0 });
  assert.equal(
    readFileSync(join(directory, 'quorum-state'), 'utf8'),
    '{"clusterId":"","leaderId":1,"leaderEpoch":2,"votedId":-1,"appliedOffset":0,"currentVoters":[{"voterId":1}],"data_version":0}',
  );
  await writeQuorumState(directory, 1, { leaderEpoch: 1, version: 1 });
  assert.equal(
    readFileSync(join(directory, 'quorum-state'), 'utf8'),
    '{"leaderId":1,"leaderEpoch":1,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}',
  );
}));

test('without the file, or with an old one, the epochs of the log count', () => withDirectory(async (directory) => {
  writeFileSync(join(directory, 'leader-epoch-checkpoint'), '0\n2\n1 0\n9 155\n');
  assert.deepEqual(await readQuorumState(directory, 1), { leaderEpoch: 9, version: 0 });
  await writeQuorumState(directory, 1, { leaderEpoch: 4, version: 0 });
  assert.equal((await readQuorumState(directory, 1)).leaderEpoch, 9);
}));

test('damage and other voters are refused', () => withDirectory(async (directory) => {
  const refuse = (text: string, why: RegExp) => {
    writeFileSync(join(directory, 'quorum-state'), text);
    return assert.rejects(readQuorumState(directory, 1), why);
  };
  await refuse('', /not JSON/);
  await refuse('{"leaderEpoch":"x"}', /damaged, or of a version/);
  await refuse('{"leaderEpoch":3,"data_version":7}', /damaged, or of a version/);
  await refuse('{"leaderEpoch":3,"currentVoters":[{"voterId":1},{"voterId":2}],"data_version":0}', /names the voters 1, 2/);
}));
