// ConsumerGroupHeartbeat, versions 0-1: refused, as Apache Kafka refuses it with group.coordinator.rebalance.protocols=classic. It is
// advertised to be refused: librdkafka asked for the new protocol waits without a word on a broker that does not list the key.
import { errorCode } from '../../protocol/errors.js';
import { consumerGroupHeartbeatApi } from '../../protocol/messages/68-consumer-group-heartbeat.js';
import { defineHandler } from '../registry.js';

const refused = (code: number) => ({ throttleTimeMs: 0, errorCode: code, memberEpoch: 0, heartbeatIntervalMs: 0 });

export const consumerGroupHeartbeatHandler = defineHandler({
  api: consumerGroupHeartbeatApi,
  handle() {
    return refused(errorCode('UNSUPPORTED_VERSION'));
  },
  failed(_request, { code }) {
    return refused(code);
  },
});
