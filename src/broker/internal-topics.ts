// How Kafka makes its own topics. Those of transactions and of share groups hold nothing yet, but a client that asks for their metadata makes them.
import { type BrokerSettings } from '../config/layered.js';
import { internalTopics } from '../metadata/topic-names.js';
import { type InternalTopic } from './topic-admin.js';

export function internalTopic(name: string, settings: BrokerSettings): InternalTopic | undefined {
  switch (name) {
    case internalTopics.offsets:
      return {
        partitions: settings.get('offsets.topic.num.partitions'),
        replicationFactor: settings.get('offsets.topic.replication.factor'),
        configs: {
          'cleanup.policy': 'compact',
          'compression.type': 'producer',
          'segment.bytes': String(settings.get('offsets.topic.segment.bytes')),
        },
      };
    case internalTopics.transactions:
      return {
        partitions: settings.get('transaction.state.log.num.partitions'),
        replicationFactor: settings.get('transaction.state.log.replication.factor'),
        configs: {
          'unclean.leader.election.enable': 'false',
          'compression.type': 'uncompressed',
          'cleanup.policy': 'compact',
          'min.insync.replicas': String(settings.get('transaction.state.log.min.isr')),
          'segment.bytes': String(settings.get('transaction.state.log.segment.bytes')),
        },
      };
    case internalTopics.shareState:
      return {
        partitions: settings.get('share.coordinator.state.topic.num.partitions'),
        replicationFactor: settings.get('share.coordinator.state.topic.replication.factor'),
        configs: {
          'cleanup.policy': 'delete',
          'compression.type': 'producer',
          'segment.bytes': String(settings.get('share.coordinator.state.topic.segment.bytes')),
          'min.insync.replicas': String(settings.get('share.coordinator.state.topic.min.isr')),
          'retention.ms': '-1',
        },
      };
    default: return undefined;
  }
}
