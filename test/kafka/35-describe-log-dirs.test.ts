import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { describeLogDirsApi } from '../../src/protocol/messages/35-describe-log-dirs.js';
import { makeTopic, topicName } from './support/names.js';
import { type Target, startTarget } from './support/target.js';

let target: Target;
before(async () => {
  target = await startTarget();
});
after(() => target.stop());

test('what lies in the directory, in every version', async () => {
  const { name } = await makeTopic(target, 'dirs', { partitions: 2 });
  await target.produce(name, 1, [{ value: Buffer.alloc(1000) }]);
  for (let version = 1; version <= 5; version += 1) {
    const { errorCode, results } = await target.ask(describeLogDirsApi, version, { topics: [{ topic: name, partitions: [0, 1] }] });
    assert.equal(errorCode, 0);
    assert.equal(results.length, 1);
    const [dir] = results;
    assert.equal(dir!.errorCode, 0);
    assert.ok(dir!.logDir.startsWith('/'));
    assert.deepEqual(dir!.topics.map((topic) => topic.name), [name]);
    const partitions = [...dir!.topics[0]!.partitions].sort((a, b) => a.partitionIndex - b.partitionIndex);
    assert.deepEqual(partitions.map(({ partitionIndex, offsetLag, isFutureKey }) => ({ partitionIndex, offsetLag, isFutureKey })), [
      { partitionIndex: 0, offsetLag: 0n, isFutureKey: false }, { partitionIndex: 1, offsetLag: 0n, isFutureKey: false },
    ]);
    assert.equal(partitions[0]!.partitionSize, 0n);
    assert.equal(partitions[1]!.partitionSize, 1070n);
    if (version >= 4) {
      assert.ok(dir!.totalBytes > 0n);
      assert.ok(dir!.usableBytes >= 0n && dir!.usableBytes <= dir!.totalBytes);
    }
    if (version >= 5) assert.equal(dir!.isCordoned, false);
  }
});

test('everything, and nothing of what is not there', async () => {
  const { name } = await makeTopic(target, 'dirs');
  await target.produce(name, 0, [{ value: Buffer.from('x') }]);
  const all = await target.ask(describeLogDirsApi, 4, { topics: null });
  assert.ok(all.results[0]!.topics.some((topic) => topic.name === name));
  const none = await target.ask(describeLogDirsApi, 4, { topics: [{ topic: topicName('missing'), partitions: [0] }, { topic: name, partitions: [5] }] });
  assert.deepEqual(none.results[0]!.topics, []);
});
