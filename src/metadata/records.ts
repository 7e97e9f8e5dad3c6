// Making metadata records. A record that is to be written is at once read back, so that what is applied to the image is
// what a restart will find in the log.
import {
  type AnyMetadataRecord, type MetadataRecord as RecordTable, type MetadataRecordName, decodeMetadataRecord,
  encodeMetadataRecord,
} from '../protocol/records/metadata/index.js';
import { type FieldTable, type Input } from '../protocol/schema.js';

export { type AnyMetadataRecord } from '../protocol/records/metadata/index.js';

export type ValueOf<N extends MetadataRecordName> = Extract<AnyMetadataRecord, { readonly name: N }>['value'];

/** A record and its bytes in the log. */
export interface NewRecord {
  readonly record: AnyMetadataRecord;
  readonly bytes: Buffer;
}

export function makeRecord<T extends FieldTable>(table: RecordTable<T>, version: number, value: Input<T>): NewRecord {
  const bytes = encodeMetadataRecord(table, version, value);
  return { record: decodeMetadataRecord(bytes), bytes };
}
