// Records of __consumer_offsets become groups and offsets again.
import { type DecodedOf } from '../protocol/message.js';
import { type groupMetadataValue } from '../protocol/records/group/index.js';
import { decodeGroupRecord } from '../protocol/records/group/index.js';
import { ZERO_UUID } from '../protocol/uuid.js';
import { Group, type Usage } from './group.js';
import { Member, keepBytes, keepProtocols } from './member.js';
import { type OffsetStore } from './offset-store.js';
import { type EndedTransaction, type StoredRecord } from './ports.js';
import { subscribedTopicsOf } from './subscription.js';

type GroupValue = DecodedOf<typeof groupMetadataValue>;

const NO_TIME = -1n;
const NO_TIMEOUT = -1;

/** Places of offsets that transactions wrote which have not ended, by their producers. */
export type OpenTransactions = Map<bigint, { readonly group: string; readonly topic: string; readonly partition: number }[]>;

export interface Replayed {
  readonly groups: Map<string, Group>;
  readonly offsets: OffsetStore;
  readonly transactions: OpenTransactions;
  readonly usage: Usage;
  readonly nowMs: number;
}

/** Applies one record. False: it belongs to another kind of group, or to a later version of Kafka. */
export function replay(into: Replayed, stored: StoredRecord | EndedTransaction): boolean {
  if ('isCommitted' in stored) {
    endTransaction(into, stored);
    return true;
  }
  const { key, value, producerId } = stored;
  const record = decodeGroupRecord(key, value);
  switch (record.kind) {
    case 'groupMetadata':
      forget(into, record.key.group);
      if (record.value !== null) remember(into, groupFrom(record.key.group, record.value, into.usage));
      return true;
    case 'offsetCommit':
    case 'legacyOffsetCommit':
      break;
    default:
      return false;
  }
  const { group, topic, partition } = record.key;
  const { value: committed } = record;
  if (committed === null) {
    const cell = into.offsets.get(group, topic, partition);
    if (cell === undefined) return true;
    cell.replay(null);
    into.offsets.tidy(group, topic, partition);
    return true;
  }
  // Someone who assigns partitions by itself commits without ever joining.
  if (!into.groups.has(group)) remember(into, durableGroup(new Group(group, 'Empty', into.nowMs, into.usage)));
  const isLegacy = record.kind === 'legacyOffsetCommit';
  const offset = {
    offset: committed.offset,
    metadata: committed.metadata,
    commitMs: Number(committed.commitTimestamp),
    leaderEpoch: isLegacy ? -1 : record.value!.leaderEpoch,
    expireMs: isLegacy || record.value!.expireTimestamp === NO_TIME ? null : Number(record.value!.expireTimestamp),
    topicId: isLegacy ? ZERO_UUID : record.value!.topicId,
  };
  const cell = into.offsets.cell(group, topic, partition);
  if (producerId === undefined) {
    cell.replay(offset);
    return true;
  }
  cell.replayUncommitted(producerId, offset);
  const places = into.transactions.get(producerId);
  if (places === undefined) into.transactions.set(producerId, [{ group, topic, partition }]);
  else places.push({ group, topic, partition });
  return true;
}

function endTransaction({ offsets, transactions }: Replayed, { producerId, isCommitted }: EndedTransaction): void {
  for (const { group, topic, partition } of transactions.get(producerId) ?? []) {
    offsets.get(group, topic, partition)?.replayEnd(producerId, isCommitted);
    offsets.tidy(group, topic, partition);
  }
  transactions.delete(producerId);
}

function remember({ groups, usage }: Replayed, group: Group): void {
  groups.set(group.id, group);
  usage.groups += 1;
}

function forget({ groups, usage }: Replayed, groupId: string): void {
  const group = groups.get(groupId);
  if (group === undefined) return;
  for (const member of [...group.members.values()]) group.remove(member);
  groups.delete(groupId);
  usage.groups -= 1;
}

function durableGroup(group: Group): Group {
  group.isDurable = true;
  return group;
}

function groupFrom(id: string, value: GroupValue, usage: Usage): Group {
  const sinceMs = value.currentStateTimestamp === NO_TIME ? null : Number(value.currentStateTimestamp);
  const group = durableGroup(new Group(id, value.members.length === 0 ? 'Empty' : 'Stable', sinceMs, usage));
  group.generationId = value.generation;
  group.protocolType = value.protocolType === '' ? null : value.protocolType;
  group.protocolName = value.protocol;
  group.leaderId = value.leader;
  for (const member of value.members) {
    group.add(new Member({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeoutMs: member.rebalanceTimeout === NO_TIMEOUT ? member.sessionTimeout : member.rebalanceTimeout,
      sessionTimeoutMs: member.sessionTimeout,
      protocols: keepProtocols([{ name: value.protocol ?? '', metadata: member.subscription }]),
      assignment: keepBytes(member.assignment),
    }, { kind: 'session', group, memberId: member.memberId }), value.protocolType);
  }
  group.subscribedTopics = subscribedTopicsOf(group);
  return group;
}
