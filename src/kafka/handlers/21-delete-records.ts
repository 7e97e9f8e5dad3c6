// DeleteRecords, versions 0-2: moves the start of logs up. An offset of -1 means the high watermark.
import { deleteRecordsApi } from '../../protocol/messages/21-delete-records.js';
import { KafkaError } from '../../metadata/kafka-error.js';
import { isInternalTopic } from '../../metadata/topic-names.js';
import { codeOf, mergeTopics, requireLed } from '../partitions.js';
import { defineHandler } from '../registry.js';
import { type BrokerServices } from '../services.js';

const TO_HIGH_WATERMARK = -1n;
const NO_LOW_WATERMARK = -1n;

async function deleteUpTo(topicName: string, index: number, offset: bigint, broker: BrokerServices): Promise<bigint> {
  const { at, topic } = requireLed(broker, topicName, index);
  if (isInternalTopic(topicName)) {
    throw new KafkaError('INVALID_TOPIC_EXCEPTION', `Cannot delete records of internal topic ${topicName}`);
  }
  if (!broker.configs.deletesRecords(topic.name)) throw new KafkaError('POLICY_VIOLATION');
  const { highWatermark } = await broker.engine.offsets(at);
  const target = offset === TO_HIGH_WATERMARK ? highWatermark : offset;
  if (target < 0n || target > highWatermark) throw new KafkaError('OFFSET_OUT_OF_RANGE');
  // Also where the log starts there already: who made it so may still be waiting for the disk.
  return broker.engine.deleteRecords(at, target);
}

export const deleteRecordsHandler = defineHandler({
  api: deleteRecordsApi,
  async handle(request, { broker }) {
    return {
      topics: await Promise.all(mergeTopics(request.topics).map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(partitions.map(async ({ partitionIndex, offset }) => {
          try {
            return { partitionIndex, lowWatermark: await deleteUpTo(name, partitionIndex, offset, broker), errorCode: 0 };
          } catch (error) {
            return { partitionIndex, lowWatermark: NO_LOW_WATERMARK, errorCode: codeOf(error) };
          }
        })),
      }))),
    };
  },
  failed(request, { code }) {
    return {
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({
          partitionIndex, lowWatermark: NO_LOW_WATERMARK, errorCode: code,
        })),
      })),
    };
  },
});
