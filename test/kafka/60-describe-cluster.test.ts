import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorName } from '../../src/protocol/errors.js';
import { describeClusterApi } from '../../src/protocol/messages/60-describe-cluster.js';
import { type Target, startTarget } from './support/target.js';

let target: Target;
before(async () => {
  target = await startTarget();
});
after(() => target.stop());

test('the cluster and its one broker, in every version', async () => {
  for (const version of [0, 1, 2]) {
    const answer = await target.ask(describeClusterApi, version, {});
    assert.equal(answer.errorCode, 0);
    assert.match(answer.clusterId, /^[A-Za-z0-9_-]{22}$/);
    assert.equal(answer.controllerId, 1);
    assert.equal(answer.clusterAuthorizedOperations, -2147483648);
    assert.deepEqual(answer.brokers.map(({ brokerId, host, port, rack, isFenced }) => ({ brokerId, host, port, rack, isFenced })), [
      { brokerId: 1, host: '127.0.0.1', port: target.port, rack: null, isFenced: false },
    ]);
  }
});

test('what a client may do, when it asks', async () => {
  const { clusterAuthorizedOperations } = await target.ask(describeClusterApi, 1, { includeClusterAuthorizedOperations: true });
  assert.equal(clusterAuthorizedOperations, 8096);
});

test('endpoints of controllers, and of no known kind', async () => {
  const say = async (endpointType: number) => errorName((await target.ask(describeClusterApi, 1, { endpointType })).errorCode);
  assert.equal(await say(2), 'MISMATCHED_ENDPOINT_TYPE');
  assert.equal(await say(7), 'UNSUPPORTED_ENDPOINT_TYPE');
});
