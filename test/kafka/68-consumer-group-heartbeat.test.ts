// Apache Kafka agrees where its group coordinator is told to speak the classic protocol only.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorCode } from '../../src/protocol/errors.js';
import { consumerGroupHeartbeatApi } from '../../src/protocol/messages/68-consumer-group-heartbeat.js';
import { type Target, startTarget } from './support/target.js';

let target: Target;
before(async () => {
  target = await startTarget({ 'group.coordinator.rebalance.protocols': 'classic' });
});
after(() => target?.stop());

test('the new consumer protocol is refused at the first heartbeat', async () => {
  for (const version of [0, 1]) {
    const answer = await target.ask(consumerGroupHeartbeatApi, version, {
      groupId: 'new', memberId: version === 0 ? '' : 'XkTIZ6Q9T5aPPN2Fx1Trmw', memberEpoch: 0, rebalanceTimeoutMs: 45_000, subscribedTopicNames: ['any'], topicPartitions: [],
    });
    assert.deepEqual(answer, {
      throttleTimeMs: 0, errorCode: errorCode('UNSUPPORTED_VERSION'), errorMessage: null, memberId: null, memberEpoch: 0, heartbeatIntervalMs: 0, assignment: null,
    });
  }
});
