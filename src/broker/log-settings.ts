// From settings in Kafka's words to what the engine takes.
import { type CleanerSettings, type LogSettings, type PlaneSettings } from '../native/binding.js';
import { perIpOverrides } from '../config/per-ip.js';
import { type BrokerSettings, type Texts } from '../config/layered.js';
import { TopicValues } from '../config/topic-values.js';

/** The engine's numbers: what is beyond them means no limit anyway. */
function bounded(value: number): number {
  return Math.min(value, Number.MAX_SAFE_INTEGER);
}

function compressionLevel(values: TopicValues): number | undefined {
  switch (values.get('compression.type')) {
    case 'gzip': {
      const level = values.get('compression.gzip.level');
      return level === -1 ? undefined : level;
    }
    case 'lz4': return values.get('compression.lz4.level');
    case 'zstd': return values.get('compression.zstd.level');
    default: return undefined;
  }
}

export function logSettings(overrides: Texts, broker: BrokerSettings): LogSettings {
  const values = new TopicValues(overrides, broker);
  const policy = values.get('cleanup.policy');
  const maxLag = values.get('max.compaction.lag.ms');
  const level = compressionLevel(values);
  return {
    segmentBytes: values.segmentBytes(),
    // What is to be compacted in time has to leave the active segment before (KIP-354).
    segmentMs: bounded(policy.includes('compact') && maxLag > 0 ? Math.min(values.get('segment.ms'), maxLag) : values.get('segment.ms')),
    segmentIndexBytes: values.get('segment.index.bytes'),
    indexIntervalBytes: values.get('index.interval.bytes'),
    retentionMs: bounded(values.get('retention.ms')),
    retentionBytes: bounded(values.get('retention.bytes')),
    fileDeleteDelayMs: bounded(values.get('file.delete.delay.ms')),
    maxMessageBytes: values.get('max.message.bytes'),
    cleanupDelete: policy.includes('delete'),
    cleanupCompact: policy.includes('compact'),
    minCleanableRatio: numberOr(values.get('min.cleanable.dirty.ratio'), ABOVE_ALL_RATIOS),
    minCompactionLagMs: bounded(values.get('min.compaction.lag.ms')),
    maxCompactionLagMs: bounded(maxLag),
    deleteRetentionMs: bounded(values.get('delete.retention.ms')),
    logAppendTime: values.get('message.timestamp.type') === 'LogAppendTime',
    timestampBeforeMaxMs: bounded(values.get('message.timestamp.before.max.ms')),
    timestampAfterMaxMs: bounded(values.get('message.timestamp.after.max.ms')),
    compression: values.get('compression.type') as LogSettings['compression'],
    ...(level === undefined ? {} : { compressionLevel: level }),
    producerIdExpirationMs: broker.get('producer.id.expiration.ms'),
    durability: values.durability(),
  };
}

export function cleanerSettings(broker: BrokerSettings): CleanerSettings {
  return {
    enabled: broker.get('log.cleaner.enable'),
    threads: broker.get('log.cleaner.threads'),
    dedupeBufferBytes: bounded(broker.get('log.cleaner.dedupe.buffer.size')),
    loadFactor: numberOr(broker.get('log.cleaner.io.buffer.load.factor'), DEFAULT_LOAD_FACTOR),
    ioBufferBytes: broker.get('log.cleaner.io.buffer.size'),
    maxBytesPerSecond: numberOr(broker.get('log.cleaner.io.max.bytes.per.second'), Number.MAX_VALUE),
    backoffMs: bounded(broker.get('log.cleaner.backoff.ms')),
  };
}

export function planeSettings(broker: BrokerSettings, nodeId: number, served: PlaneSettings['served']): PlaneSettings {
  const maxRequestBytes = broker.get('socket.request.max.bytes');
  return {
    nodeId,
    maxRequestBytes,
    idleMs: bounded(broker.get('connections.max.idle.ms')),
    maxConnections: broker.get('max.connections'),
    maxConnectionsPerIp: broker.get('max.connections.per.ip'),
    perIpOverrides: perIpOverrides(broker.get('max.connections.per.ip.overrides')),
    maxConnectionRate: broker.get('max.connection.creation.rate'),
    sendBufferBytes: broker.get('socket.send.buffer.bytes'),
    maxSendBufferBytes: broker.get('sluice.socket.send.buffer.max.bytes'),
    receiveBufferBytes: broker.get('socket.receive.buffer.bytes'),
    listenBacklog: broker.get('socket.listen.backlog.size'),
    // One request of the largest size can always be received.
    requestMemoryBytes: Math.max(broker.get('sluice.memory.request.bytes'), maxRequestBytes),
    connectionMemoryBytes: Math.max(broker.get('sluice.memory.connection.bytes') ?? 2 * maxRequestBytes, maxRequestBytes),
    responseMemoryBytes: broker.get('sluice.memory.response.bytes'),
    socketMemoryBytes: broker.get('sluice.memory.socket.bytes'),
    fetchMaxBytes: broker.get('fetch.max.bytes'),
    fetchSessionSlots: broker.get('max.incremental.fetch.session.cache.slots'),
    served,
  };
}

const DEFAULT_LOAD_FACTOR = 0.9;
/** No log is ever above NaN, and neither is one above this. */
const ABOVE_ALL_RATIOS = 2;

/** Kafka takes NaN for a double, and so it may stand in a topic's settings. */
function numberOr(value: number, otherwise: number): number {
  return Number.isNaN(value) ? otherwise : value;
}
