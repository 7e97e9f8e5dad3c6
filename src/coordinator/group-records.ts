// Groups and offsets as records of __consumer_offsets, in the versions that Kafka 4.4 writes.
import {
  GROUP_METADATA_VALUE_VERSION, encodeGroupKey, encodeGroupValue, offsetCommitValueVersion,
} from '../protocol/records/group/index.js';
import { type Group } from './group.js';
import { EMPTY } from './member.js';
import { type RecordBytes } from './ports.js';

/** A committed offset. */
export interface Offset {
  readonly offset: bigint;
  /** -1: not said. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly commitMs: number;
  /** Null: as long as the group's rules say. */
  readonly expireMs: number | null;
  /** The zero id: from a record or a client that does not say. */
  readonly topicId: string;
}

const NO_TIME = -1n;

export function groupKey(groupId: string): Buffer {
  return encodeGroupKey('groupMetadata', { group: groupId });
}

export function groupTombstone(groupId: string): RecordBytes {
  return { key: groupKey(groupId), value: null };
}

/** A group with the assignments that are about to become its members'. */
export function groupRecord(group: Group, assignments: ReadonlyMap<string, Buffer>): RecordBytes {
  return {
    key: groupKey(group.id),
    value: encodeGroupValue('groupMetadata', GROUP_METADATA_VALUE_VERSION, {
      protocolType: group.protocolType ?? '',
      generation: group.generationId,
      protocol: group.protocolName,
      leader: group.leaderId,
      currentStateTimestamp: group.stateSinceMs === null ? NO_TIME : BigInt(group.stateSinceMs),
      members: [...group.members.values()].map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeout: member.rebalanceTimeoutMs,
        sessionTimeout: member.sessionTimeoutMs,
        subscription: member.metadataFor(group.protocolName),
        assignment: assignments.get(member.memberId) ?? EMPTY,
      })),
    }),
  };
}

/** A group that nobody has joined yet. */
export function newGroupRecord(group: Group): RecordBytes {
  return {
    key: groupKey(group.id),
    value: encodeGroupValue('groupMetadata', GROUP_METADATA_VALUE_VERSION, {
      protocolType: '',
      generation: 0,
      protocol: null,
      leader: null,
      currentStateTimestamp: group.stateSinceMs === null ? NO_TIME : BigInt(group.stateSinceMs),
      members: [],
    }),
  };
}

export function offsetKey(groupId: string, topic: string, partition: number): Buffer {
  return encodeGroupKey('offsetCommit', { group: groupId, topic, partition });
}

export function offsetTombstone(groupId: string, topic: string, partition: number): RecordBytes {
  return { key: offsetKey(groupId, topic, partition), value: null };
}

export function offsetRecord(groupId: string, topic: string, partition: number, offset: Offset): RecordBytes {
  const value = {
    offset: offset.offset,
    leaderEpoch: offset.leaderEpoch,
    metadata: offset.metadata,
    commitTimestamp: BigInt(offset.commitMs),
    expireTimestamp: offset.expireMs === null ? NO_TIME : BigInt(offset.expireMs),
    topicId: offset.topicId,
  };
  return {
    key: offsetKey(groupId, topic, partition),
    value: encodeGroupValue('offsetCommit', offsetCommitValueVersion(value), value),
  };
}
