// OffsetDelete, version 0: a group's offsets of topics that it does not read at present.
import { errorCode } from '../../protocol/errors.js';
import { offsetDeleteApi } from '../../protocol/messages/47-offset-delete.js';
import { callerOf, groupsOf } from '../group-caller.js';
import { defineHandler } from '../registry.js';

export const offsetDeleteHandler = defineHandler({
  api: offsetDeleteApi,
  async handle({ groupId, topics }, ctx) {
    const { image } = ctx.broker.metadata;
    const isThere = (name: string, index: number) => image.topics.get(name)?.partitions[index] !== undefined;
    const known = topics.flatMap(({ name, partitions }) => {
      const there = partitions.filter(({ partitionIndex }) => isThere(name, partitionIndex));
      return there.length === 0 ? [] : [{ name, partitions: there }];
    });
    const deleted = await groupsOf(ctx).deleteOffsets({ groupId, topics: known }, callerOf(ctx));
    if (deleted.errorCode !== 0) return { errorCode: deleted.errorCode };
    const results = deleted.topics.values();
    return {
      topics: topics.map(({ name, partitions }) => {
        const refused = partitions.filter(({ partitionIndex }) => !isThere(name, partitionIndex));
        const isKnown = refused.length < partitions.length;
        return {
          name,
          partitions: [
            ...refused.map(({ partitionIndex }) => ({ partitionIndex, errorCode: errorCode('UNKNOWN_TOPIC_OR_PARTITION') })),
            ...(isKnown ? (results.next().value?.partitions ?? []) : []),
          ],
        };
      }),
    };
  },
  failed(_request, { code }) {
    return { errorCode: code };
  },
});
