// OffsetForLeaderEpoch, versions 2-4: where the records of a leader epoch end, by which consumers notice that a log lost
// records. 3: the asker's id, of no meaning here.
import { offsetForLeaderEpochApi } from '../../protocol/messages/23-offset-for-leader-epoch.js';
import { codeOf, requireLed } from '../partitions.js';
import { defineHandler } from '../registry.js';

export const offsetForLeaderEpochHandler = defineHandler({
  api: offsetForLeaderEpochApi,
  async handle(request, { broker }) {
    return {
      topics: await Promise.all(request.topics.map(async ({ topic, partitions }) => ({
        topic,
        partitions: await Promise.all(partitions.map(async ({ partition, currentLeaderEpoch, leaderEpoch }) => {
          try {
            const { at } = requireLed(broker, topic, partition, currentLeaderEpoch);
            return { partition, errorCode: 0, ...(await broker.engine.epochEnd(at, leaderEpoch)) };
          } catch (error) {
            return { partition, errorCode: codeOf(error), leaderEpoch: -1, endOffset: -1n };
          }
        })),
      }))),
    };
  },
  failed(request, { code }) {
    return {
      topics: request.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition }) => ({ partition, errorCode: code, leaderEpoch: -1, endOffset: -1n })),
      })),
    };
  },
});
