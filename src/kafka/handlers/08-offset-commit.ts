// OffsetCommit, versions 2-10: how far a group has read. 5: retention is the broker's business. 6: leader epochs. 7: static
// members. 9: GROUP_ID_NOT_FOUND and groups of the newer kind, of which there are none. 10: topics by id.
import { errorCode } from '../../protocol/errors.js';
import { offsetCommitApi } from '../../protocol/messages/08-offset-commit.js';
import { type RequestOf } from '../../protocol/api.js';
import { type TopicImage, topicById } from '../../metadata/image.js';
import { type RequestContext } from '../context.js';
import { callerOf, groupsOf } from '../group-caller.js';
import { defineHandler } from '../registry.js';

type Topic = RequestOf<typeof offsetCommitApi>['topics'][number];

const TOPIC_IDS_SINCE = 10;

interface Checked {
  readonly asked: Topic;
  readonly topic: TopicImage | undefined;
  readonly known: Topic['partitions'];
  readonly refused: readonly { readonly partitionIndex: number; readonly errorCode: number }[];
}

/** What is said of one topic in several places is answered in one. */
function mergeAsked(topics: readonly Topic[]): Topic[] {
  const merged = new Map<string, Topic & { readonly partitions: Topic['partitions'][number][] }>();
  for (const topic of topics) {
    const key = `${topic.topicId} ${topic.name}`;
    let known = merged.get(key);
    if (known === undefined) merged.set(key, (known = { ...topic, partitions: [] }));
    for (const partition of topic.partitions) known.partitions.push(partition);
  }
  return [...merged.values()];
}

/** Offsets are kept for partitions that are there. */
function check(asked: Topic, { header, broker }: RequestContext): Checked {
  const usesIds = header.apiVersion >= TOPIC_IDS_SINCE;
  const { image } = broker.metadata;
  const topic = usesIds ? topicById(image, asked.topicId) : image.topics.get(asked.name);
  const code = errorCode(usesIds && topic === undefined ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION');
  const isThere = ({ partitionIndex }: Topic['partitions'][number]) => topic?.partitions[partitionIndex] !== undefined;
  const refused = asked.partitions.filter((partition) => !isThere(partition));
  return {
    asked,
    topic,
    known: asked.partitions.filter(isThere),
    refused: refused.map(({ partitionIndex }) => ({ partitionIndex, errorCode: code })),
  };
}

export const offsetCommitHandler = defineHandler({
  api: offsetCommitApi,
  async handle(request, ctx) {
    // Of a topic that is there Kafka tells nothing where nothing was asked.
    const checked = mergeAsked(request.topics).map((topic) => check(topic, ctx)).filter(({ topic, asked }) => topic === undefined || asked.partitions.length > 0);
    const topics = checked.flatMap(({ topic, known }) =>
      topic === undefined || known.length === 0 ? [] : [{ name: topic.name, topicId: topic.id, partitions: known }]);
    const committed = topics.length === 0 ? null : await groupsOf(ctx).commitOffsets({
      groupId: request.groupId,
      generationId: request.generationIdOrMemberEpoch,
      memberId: request.memberId,
      groupInstanceId: request.groupInstanceId,
      retentionTimeMs: request.retentionTimeMs,
      topics,
    }, callerOf(ctx));
    const results = committed?.topics.values();
    return {
      topics: checked.map(({ asked, known, refused }) => {
        const accepted = known.length === 0 ? []
          : committed?.errorCode === 0 ? results?.next().value?.partitions ?? []
          : known.map(({ partitionIndex }) => ({ partitionIndex, errorCode: committed?.errorCode ?? 0 }));
        return { name: asked.name, topicId: asked.topicId, partitions: [...refused, ...accepted] };
      }),
    };
  },
  failed(request, { code }) {
    return {
      topics: request.topics.map(({ name, topicId, partitions }) => ({
        name,
        topicId,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: code })),
      })),
    };
  },
});
