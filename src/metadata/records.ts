// Making metadata records. A record that is to be written is at once read back, so that what is applied to the image is
// what a restart will find in the log.
import {
  type AnyMetadataRecord, type MetadataRecord as RecordTable, type MetadataRecordName, decodeMetadataRecord,
  encodeMetadataRecord,
} from '../protocol/records/metadata/index.js';
import { KafkaError } from './kafka-error.js';
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

/** As many as Kafka's controller writes for one request. */
const MAX_RECORDS_PER_REQUEST = 10_000;

/** The records of one request. */
export class RecordList {
  readonly records: NewRecord[] = [];

  /** Throws where there are more than one request may have, which then fails as a whole. */
  add(more: readonly NewRecord[]): void {
    if (this.records.length + more.length > MAX_RECORDS_PER_REQUEST) {
      throw new KafkaError('POLICY_VIOLATION', 'Unable to perform excessively large batch operation.');
    }
    for (const record of more) this.records.push(record);
  }
}
