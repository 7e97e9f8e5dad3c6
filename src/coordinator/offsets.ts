// OffsetCommit, OffsetFetch and OffsetDelete on one partition's groups, and offsets that are kept no longer.
import { errorCode } from '../protocol/errors.js';
import { ZERO_UUID } from '../protocol/uuid.js';
import { NONE } from './errors.js';
import { type Group } from './group.js';
import { type Offset, offsetRecord, offsetTombstone } from './group-records.js';
import { type Groups } from './join.js';
import { type Machine, type Write } from './machine.js';
import { type Ticket } from './member.js';
import { type OffsetCell, type OffsetStore } from './offset-store.js';
import { type RecordBytes } from './ports.js';
import { restartSession } from './rebalance.js';
import {
  type Client, type CommitRequest, type DeleteOffsetsRequest, type FetchedPartition, type FetchOffsetsRequest,
  type FetchOffsetsResponse,
} from './requests.js';
import { memberProblem } from './validate.js';

const GROUP_ID_NOT_FOUND_SINCE = 9;

/** The place of an offset. */
export interface OffsetAt {
  readonly topic: string;
  readonly partition: number;
}

interface Change extends OffsetAt {
  readonly value: Offset | null;
}

/** Throws where a name is too long to be written. */
function recordsOf(groupId: string, changes: readonly Change[]): RecordBytes[] {
  return changes.map(({ topic, partition, value }) =>
    value === null ? offsetTombstone(groupId, topic, partition) : offsetRecord(groupId, topic, partition, value));
}

/** Writes changes of a group's offsets in one batch of `records`, which are theirs and perhaps more. */
function writeChanges(m: Machine, store: OffsetStore, group: Group, changes: readonly Change[], records: readonly RecordBytes[]): Write {
  const ends = changes.map(({ topic, partition, value }) => store.cell(group.id, topic, partition).begin(value));
  const write = m.append(group, records);
  write.onSettled((code) => {
    for (const end of ends) end(code === NONE);
    for (const { topic, partition } of changes) store.tidy(group.id, topic, partition);
  });
  return write;
}

/** Tombstones of a group with many offsets are written in several batches: each is true by itself. */
const TOMBSTONES_A_BATCH = 1000;

/** Takes offsets back, and then writes `last`. Returns the last of the writes. */
export function removeOffsets(
  m: Machine, store: OffsetStore, group: Group, places: readonly OffsetAt[], last: readonly RecordBytes[] = [],
): Write {
  const changes = places.map(({ topic, partition }) => ({ topic, partition, value: null }));
  let at = 0;
  while (changes.length - at > TOMBSTONES_A_BATCH) {
    const some = changes.slice(at, at + TOMBSTONES_A_BATCH);
    writeChanges(m, store, group, some, recordsOf(group.id, some));
    at += TOMBSTONES_A_BATCH;
  }
  const rest = changes.slice(at);
  return writeChanges(m, store, group, rest, [...recordsOf(group.id, rest), ...last]);
}

/** All that a group has, or will have when what is under way has arrived. */
export function placesOf(store: OffsetStore, groupId: string): OffsetAt[] {
  const places = [];
  for (const [topic, partitions] of store.ofGroup(groupId)) {
    for (const [partition, cell] of partitions) if (cell.latest !== null || cell.isUnstable) places.push({ topic, partition });
  }
  return places;
}

// OffsetCommit

/** Offsets are kept as long as the broker's setting says. */
const OF_BROKER = -1n;

/** As Java adds longs: "for ever" is over at once. In numbers, the largest of which that is a long stands for those beyond it. */
function expiryOf(nowMs: number, retentionMs: bigint): number {
  return Math.min(Number(BigInt.asIntN(64, BigInt(nowMs) + retentionMs)), 2 ** 63 - 1024);
}

/** 0: the one who asks may commit to the group. */
function commitProblem(group: Group, { memberId, groupInstanceId, generationId }: CommitRequest): number {
  if (generationId < 0 && group.state === 'Empty') return NONE;
  // Someone who assigns partitions by itself may not disturb members.
  if (generationId < 0 && memberId === '' && groupInstanceId === null) return errorCode('UNKNOWN_MEMBER_ID');
  const problem = memberProblem(group, memberId, groupInstanceId);
  if (problem !== NONE) return problem;
  if (generationId !== group.generationId) return errorCode('ILLEGAL_GENERATION');
  return group.state === 'CompletingRebalance' ? errorCode('REBALANCE_IN_PROGRESS') : NONE;
}

export function commitOffsets(
  m: Machine, groups: Groups, store: OffsetStore, request: CommitRequest, client: Client, ticket: Ticket,
): void {
  const known = groups.get(request.groupId);
  const problem = known === undefined ? unknownGroupProblem(request, client) : commitProblem(known, request);
  if (problem !== NONE) {
    m.reply(ticket, { errorCode: problem, topics: [] });
    return;
  }
  if (known !== undefined && (known.state === 'Stable' || known.state === 'PreparingRebalance')) {
    const member = known.members.get(request.memberId);
    if (member !== undefined) restartSession(m, member);
  }
  const changes: Change[] = [];
  const topics = request.topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map((partition) => {
      const { partitionIndex, committedMetadata } = partition;
      // Kafka counts characters here, whatever the setting is called.
      if (committedMetadata !== null && committedMetadata.length > m.config.offsetMetadataMaxBytes) {
        return { partitionIndex, errorCode: errorCode('OFFSET_METADATA_TOO_LARGE') };
      }
      const value = {
        offset: partition.committedOffset,
        leaderEpoch: partition.committedLeaderEpoch,
        metadata: committedMetadata ?? '',
        commitMs: m.now.wallMs,
        expireMs: request.retentionTimeMs === OF_BROKER ? null : expiryOf(m.now.wallMs, request.retentionTimeMs),
        topicId,
      };
      changes.push({ topic: name, partition: partitionIndex, value });
      return { partitionIndex, errorCode: NONE };
    }),
  }));
  if (changes.length === 0) {
    m.reply(ticket, { errorCode: NONE, topics });
    return;
  }
  const records = recordsOf(request.groupId, changes);
  const group = known ?? groups.create(request.groupId);
  if (group === null) {
    m.reply(ticket, { errorCode: errorCode('COORDINATOR_NOT_AVAILABLE'), topics: [] });
    return;
  }
  writeChanges(m, store, group, changes, records).onSettled((code) => {
    m.reply(ticket, code === NONE ? { errorCode: NONE, topics } : { errorCode: code, topics: [] });
    const isUseless = !group.isDurable && group.state === 'Empty' && group.pendingMembers.size === 0 && group.writesUnderway === 0;
    if (code !== NONE && isUseless) groups.abandon(group, code);
  });
}

function unknownGroupProblem({ generationId }: CommitRequest, { apiVersion }: Client): number {
  if (generationId < 0) return NONE;
  return errorCode(apiVersion >= GROUP_ID_NOT_FOUND_SINCE ? 'GROUP_ID_NOT_FOUND' : 'ILLEGAL_GENERATION');
}

// OffsetFetch

export function fetchOffsets(store: OffsetStore, request: FetchOffsetsRequest): FetchOffsetsResponse {
  const known = store.ofGroup(request.groupId);
  if (request.topics !== null) {
    const topics = request.topics.map(({ name, topicId, partitionIndexes }) => ({
      name,
      topicId,
      partitions: partitionIndexes.map((index) => fetched(index, known.get(name)?.get(index), topicId, request)),
    }));
    return { errorCode: NONE, topics };
  }
  const topics = [];
  for (const [name, cells] of known) {
    const partitions = [];
    for (const [index, cell] of cells) if (cell.durable !== null) partitions.push(fetched(index, cell, ZERO_UUID, request));
    if (partitions.length > 0) topics.push({ name, topicId: ZERO_UUID, partitions });
  }
  return { errorCode: NONE, topics };
}

const NO_OFFSET = { committedOffset: -1n, committedLeaderEpoch: -1, metadata: '' } as const;

/** An offset of a former topic of the same name is none. */
function fetched(partitionIndex: number, cell: OffsetCell | undefined, topicId: string, { requireStable }: FetchOffsetsRequest): FetchedPartition {
  if (requireStable && cell?.isUnstable === true) return { ...NO_OFFSET, partitionIndex, errorCode: errorCode('UNSTABLE_OFFSET_COMMIT') };
  const offset = cell?.durable ?? null;
  const isOther = offset !== null && topicId !== ZERO_UUID && offset.topicId !== ZERO_UUID && offset.topicId !== topicId;
  if (offset === null || isOther) {
    return { ...NO_OFFSET, partitionIndex, errorCode: NONE };
  }
  const { offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata } = offset;
  return { partitionIndex, committedOffset, committedLeaderEpoch, metadata, errorCode: NONE };
}

// OffsetDelete

function deleteProblem(groupId: string, group: Group | undefined): number {
  if (groupId === '') return errorCode('INVALID_GROUP_ID');
  if (group === undefined) return errorCode('GROUP_ID_NOT_FOUND');
  return group.state === 'Empty' || group.usesConsumerProtocol ? NONE : errorCode('NON_EMPTY_GROUP');
}

/** Null: the answer comes when what was written is durable. */
export function deleteOffsets(
  m: Machine, group: Group | undefined, store: OffsetStore, request: DeleteOffsetsRequest, ticket: Ticket,
): void {
  const problem = deleteProblem(request.groupId, group);
  if (group === undefined || problem !== NONE) {
    m.reply(ticket, { errorCode: problem, topics: [] });
    return;
  }
  const places: OffsetAt[] = [];
  const topics = request.topics.map(({ name, partitions }) => {
    const isSubscribed = group.isSubscribedTo(name);
    for (const { partitionIndex } of isSubscribed ? [] : partitions) {
      const cell = store.get(group.id, name, partitionIndex);
      const isThere = cell !== undefined && (cell.latest !== null || cell.isUnstable);
      if (isThere) places.push({ topic: name, partition: partitionIndex });
    }
    const code = isSubscribed ? errorCode('GROUP_SUBSCRIBED_TO_TOPIC') : NONE;
    return { name, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: code })) };
  });
  if (places.length === 0) {
    m.reply(ticket, { errorCode: NONE, topics });
    return;
  }
  removeOffsets(m, store, group, places).onSettled((code) => {
    m.reply(ticket, code === NONE ? { errorCode: NONE, topics } : { errorCode: code, topics: [] });
  });
}

// Expiry

/** From when the time that an offset is kept is counted; null: the group's offsets do not expire now. */
function expiryBase(group: Group): ((offset: Offset) => number) | null {
  // Nobody ever joined: someone who assigns partitions by itself.
  if (group.protocolType === null) return ({ commitMs }) => commitMs;
  if (group.state === 'Empty') return ({ commitMs }) => group.stateSinceMs ?? commitMs;
  const isKnown = group.usesConsumerProtocol && group.subscribedTopics !== null && group.state === 'Stable';
  return isKnown ? ({ commitMs }) => commitMs : null;
}

/** What of a group's offsets has expired, and whether that is all that it has. */
export function expiredOffsets(m: Machine, store: OffsetStore, group: Group): { expired: OffsetAt[]; isAll: boolean } {
  const expired: OffsetAt[] = [];
  const base = expiryBase(group);
  let isAll = true;
  for (const [topic, partitions] of store.ofGroup(group.id)) {
    const isKept = base === null || group.isSubscribedTo(topic);
    for (const [partition, { durable, hasPending, isUnstable }] of partitions) {
      const isExpired = !isKept && !hasPending && !isUnstable && durable !== null && hasExpired(m, durable, base(durable));
      if (isExpired) expired.push({ topic, partition });
      else isAll = false;
    }
  }
  return { expired, isAll };
}

function hasExpired(m: Machine, { expireMs }: Offset, baseMs: number): boolean {
  return expireMs === null ? m.now.wallMs - baseMs >= m.config.offsetsRetentionMs : m.now.wallMs >= expireMs;
}
