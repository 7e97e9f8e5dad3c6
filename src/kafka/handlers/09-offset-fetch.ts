// OffsetFetch, versions 1-10: how far groups have read. 2: all offsets of a group, and an error for the group as a whole.
// 7: wait for what is being written. 8: many groups at once. 9: members of groups of the newer kind. 10: topics by id.
import { errorCode } from '../../protocol/errors.js';
import { offsetFetchApi } from '../../protocol/messages/09-offset-fetch.js';
import { type RequestOf } from '../../protocol/api.js';
import { ZERO_UUID } from '../../protocol/uuid.js';
import { topicById } from '../../metadata/image.js';
import { type RequestContext } from '../context.js';
import { callerOf, groupsOf } from '../group-caller.js';
import { defineHandler } from '../registry.js';
import { Once, Repeats } from '../repeats.js';

const GROUP_ERROR_SINCE = 2;
const MANY_GROUPS_SINCE = 8;
const TOPIC_IDS_SINCE = 10;

interface AskedTopic {
  readonly name: string;
  readonly topicId: string;
  readonly partitionIndexes: readonly number[];
}

interface AskedGroup {
  readonly groupId: string;
  readonly topics: readonly AskedTopic[] | null;
}

interface FetchedPartition {
  readonly partitionIndex: number;
  readonly committedOffset: bigint;
  readonly committedLeaderEpoch: number;
  readonly metadata: string;
  readonly errorCode: number;
}

interface FetchedGroup {
  readonly groupId: string;
  readonly errorCode: number;
  readonly topics: readonly { readonly name: string; readonly topicId: string; readonly partitions: readonly FetchedPartition[] }[];
}

function askedGroups(request: RequestOf<typeof offsetFetchApi>, version: number): readonly AskedGroup[] {
  if (version >= MANY_GROUPS_SINCE) return request.groups;
  const topics = request.topics?.map((topic) => ({ ...topic, topicId: ZERO_UUID })) ?? null;
  return [{ groupId: request.groupId, topics }];
}

function withoutOffsets({ name, topicId, partitionIndexes }: AskedTopic, code: number) {
  return {
    name,
    topicId,
    partitions: partitionIndexes.map((partitionIndex) => ({
      partitionIndex, committedOffset: -1n, committedLeaderEpoch: -1, metadata: '', errorCode: code,
    })),
  };
}

/** Before version 2 there is no place for an error but the partitions. */
function failedGroup({ groupId, topics }: AskedGroup, code: number, version: number): FetchedGroup {
  if (version >= GROUP_ERROR_SINCE) return { groupId, errorCode: code, topics: [] };
  return { groupId, errorCode: 0, topics: (topics ?? []).map((topic) => withoutOffsets(topic, code)) };
}

async function fetchGroup(asked: AskedGroup, requireStable: boolean, ctx: RequestContext): Promise<FetchedGroup> {
  const { apiVersion } = ctx.header;
  const { image } = ctx.broker.metadata;
  const usesIds = apiVersion >= TOPIC_IDS_SINCE;
  const nameOf = ({ name, topicId }: AskedTopic) => (usesIds ? topicById(image, topicId)?.name : name);
  const named = asked.topics?.map((topic) => ({ ...topic, name: nameOf(topic) ?? '' })) ?? null;
  const { groupId } = asked;
  const known = named?.filter(({ name }) => !usesIds || name !== '') ?? null;
  const fetched = await groupsOf(ctx).fetchOffsets({ groupId, topics: known, requireStable }, callerOf(ctx));
  if (fetched.errorCode !== 0) return failedGroup(asked, fetched.errorCode, apiVersion);
  if (named !== null) {
    const lost = usesIds ? named.filter(({ name }) => name === '') : [];
    const unknown = lost.map((topic) => withoutOffsets(topic, errorCode('UNKNOWN_TOPIC_ID')));
    return { groupId, errorCode: 0, topics: [...fetched.topics, ...unknown] };
  }
  if (!usesIds) return { groupId, errorCode: 0, topics: fetched.topics };
  // Topics without an id are gone.
  const topics = fetched.topics.flatMap((topic) => {
    const topicId = image.topics.get(topic.name)?.id;
    return topicId === undefined ? [] : [{ ...topic, topicId }];
  });
  return { groupId, errorCode: 0, topics };
}

function inVersion(groups: readonly FetchedGroup[], version: number) {
  if (version >= MANY_GROUPS_SINCE) return { groups };
  const [group] = groups;
  if (group === undefined) return {};
  return { errorCode: group.errorCode, topics: group.topics.map(({ name, partitions }) => ({ name, partitions })) };
}

export const offsetFetchHandler = defineHandler({
  api: offsetFetchApi,
  async handle(request, ctx) {
    const { apiVersion } = ctx.header;
    const asked = askedGroups(request, apiVersion);
    // All offsets of a group are looked up once, though it be named again.
    const whole = new Once<Promise<FetchedGroup>>();
    const fetched = await Promise.all(asked.map((group) => {
      const fetch = () => fetchGroup(group, request.requireStable, ctx);
      return group.topics === null ? whole.get(group.groupId, fetch) : fetch();
    }));
    const repeats = new Repeats();
    for (const group of fetched) repeats.add(group, group.topics.reduce((sum, { partitions }) => sum + partitions.length, 0));
    return inVersion(fetched, apiVersion);
  },
  failed(request, { code }, { header: { apiVersion } }) {
    return inVersion(askedGroups(request, apiVersion).map((group) => failedGroup(group, code, apiVersion)), apiVersion);
  },
});
