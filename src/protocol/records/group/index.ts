// Records of __consumer_offsets. The key starts with the type of record, the value with its version, two bytes each.
import { ProtocolError } from '../../error.js';
import { type DecodedOf, type InputOf, type Message } from '../../message.js';
import { Reader } from '../../reader.js';
import { type FieldTable, type Input } from '../../schema.js';
import { Writer } from '../../writer.js';
import { groupMetadataKey } from './group-metadata-key.js';
import { groupMetadataValue } from './group-metadata-value.js';
import { legacyOffsetCommitKey } from './legacy-offset-commit-key.js';
import { legacyOffsetCommitValue } from './legacy-offset-commit-value.js';
import { offsetCommitKey } from './offset-commit-key.js';
import { offsetCommitValue } from './offset-commit-value.js';

export {
  groupMetadataKey, groupMetadataValue, legacyOffsetCommitKey, legacyOffsetCommitValue, offsetCommitKey,
  offsetCommitValue,
};

export const groupRecords = {
  legacyOffsetCommit: { type: 0, key: legacyOffsetCommitKey, value: legacyOffsetCommitValue },
  offsetCommit: { type: 1, key: offsetCommitKey, value: offsetCommitValue },
  groupMetadata: { type: 2, key: groupMetadataKey, value: groupMetadataValue },
} as const;

type GroupRecords = typeof groupRecords;
export type GroupRecordKind = keyof GroupRecords;

export type GroupRecord =
  | { readonly [K in GroupRecordKind]: {
      readonly kind: K;
      readonly key: DecodedOf<GroupRecords[K]['key']>;
      /** Null takes back what was written under the key. */
      readonly value: DecodedOf<GroupRecords[K]['value']> | null;
      readonly valueVersion: number | null;
    } }[GroupRecordKind]
  /** A type that belongs to other kinds of groups, or to a later version of Kafka. */
  | { readonly kind: 'unknown'; readonly type: number };

const KEY_VERSION = 0;

/** The version Kafka 4.4 writes: an explicit expiry exists only in version 1, everything else goes into 4. */
export function offsetCommitValueVersion(value: InputOf<typeof offsetCommitValue>): number {
  return value.expireTimestamp === undefined || value.expireTimestamp === -1n ? 4 : 1;
}

/** The version Kafka 4.4 writes, although it reads 4 as well. */
export const GROUP_METADATA_VALUE_VERSION = 3;

export function encodeGroupKey<K extends GroupRecordKind>(kind: K, key: InputOf<GroupRecords[K]['key']>): Buffer {
  return prefixed(groupRecords[kind].type, groupRecords[kind].key, KEY_VERSION, key);
}

export function encodeGroupValue<K extends GroupRecordKind>(
  kind: K, version: number, value: InputOf<GroupRecords[K]['value']>,
): Buffer {
  return prefixed(version, groupRecords[kind].value, version, value);
}

function prefixed(prefix: number, message: unknown, version: number, value: unknown): Buffer {
  const writer = new Writer(64);
  writer.int16(prefix, 'version');
  (message as Message<FieldTable>).write(writer, version, value as Input<FieldTable>);
  return writer.finish();
}

export function decodeGroupRecord(key: Buffer | null, value: Buffer | null): GroupRecord {
  if (key === null) throw new ProtocolError('malformed', 'must not be null', 'key');
  const keyReader = new Reader(key);
  const type = keyReader.int16('key.type');
  const found = Object.entries(groupRecords).find(([, record]) => record.type === type);
  if (found === undefined) return { kind: 'unknown', type };
  const [kind, record] = found;
  const decodedKey = record.key.read(keyReader, KEY_VERSION);
  if (value === null) return { kind, key: decodedKey, value: null, valueVersion: null } as GroupRecord;
  const reader = new Reader(value);
  const valueVersion = reader.int16('value.version');
  return { kind, key: decodedKey, value: record.value.read(reader, valueVersion), valueVersion } as GroupRecord;
}
