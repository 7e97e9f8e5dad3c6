// A record of the metadata log: frame version, type and version as unsigned varints, then the message.
import { ProtocolError } from '../../error.js';
import { Reader } from '../../reader.js';
import { type Decoded, type FieldTable, type Input } from '../../schema.js';
import { Writer } from '../../writer.js';
import { type MetadataRecord } from './define.js';
import { metadataRecords } from './registry.js';

const FRAME_VERSION = 1;

type KnownRecord = (typeof metadataRecords)[number];

type Envelope<R> = R extends MetadataRecord<infer T> & { readonly name: infer N }
  ? { readonly name: N; readonly version: number; readonly value: Decoded<T> }
  : never;

/** A decoded record, told apart by `name`. */
export type AnyMetadataRecord = Envelope<KnownRecord>;
export type MetadataRecordName = KnownRecord['name'];

const byType = new Map<number, MetadataRecord>(
  metadataRecords.map((record) => [record.type, record as MetadataRecord]),
);

export function encodeMetadataRecord<T extends FieldTable>(
  record: MetadataRecord<T>, version: number, value: Input<T>,
): Buffer {
  const writer = new Writer(128);
  writer.uvarint(FRAME_VERSION, 'frameVersion');
  writer.uvarint(record.type, 'type');
  writer.uvarint(version, 'version');
  record.message.write(writer, version, value);
  return writer.finish();
}

export function decodeMetadataRecord(bytes: Buffer): AnyMetadataRecord {
  const reader = new Reader(bytes);
  const frameVersion = reader.uvarint('frameVersion');
  if (frameVersion !== FRAME_VERSION) {
    throw new ProtocolError('unsupported-version', `unknown frame version ${frameVersion}`, 'frameVersion');
  }
  const type = reader.uvarint('type');
  const record = byType.get(type);
  if (record === undefined) throw new ProtocolError('unsupported-version', `unknown record type ${type}`, 'type');
  const version = reader.uvarint('version');
  const value = record.message.read(reader, version);
  reader.expectEnd(record.name);
  return { name: record.name, version, value } as AnyMetadataRecord;
}
