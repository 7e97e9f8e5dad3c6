// Control records: the key says which kind, the value is a message of its own.
import { ProtocolError } from '../../error.js';
import { type DecodedOf, type Message } from '../../message.js';
import { Reader } from '../../reader.js';
import { type FieldTable, type Input } from '../../schema.js';
import { Writer } from '../../writer.js';
import { endTxnMarker } from './end-txn-marker.js';
import { kRaftVersionRecord } from './kraft-version-record.js';
import { leaderChangeMessage } from './leader-change-message.js';
import { snapshotFooterRecord } from './snapshot-footer-record.js';
import { snapshotHeaderRecord } from './snapshot-header-record.js';
import { votersRecord } from './voters-record.js';

export {
  endTxnMarker, kRaftVersionRecord, leaderChangeMessage, snapshotFooterRecord, snapshotHeaderRecord, votersRecord,
};

const KEY_VERSION = 0;

export const controlRecords = {
  abort: { type: 0, message: endTxnMarker },
  commit: { type: 1, message: endTxnMarker },
  leaderChange: { type: 2, message: leaderChangeMessage },
  snapshotHeader: { type: 3, message: snapshotHeaderRecord },
  snapshotFooter: { type: 4, message: snapshotFooterRecord },
  kRaftVersion: { type: 5, message: kRaftVersionRecord },
  voters: { type: 6, message: votersRecord },
} as const;

type ControlRecords = typeof controlRecords;
export type ControlRecordKind = keyof ControlRecords;

export type ControlRecord =
  | { readonly [K in ControlRecordKind]: {
      readonly kind: K; readonly version: number; readonly value: DecodedOf<ControlRecords[K]['message']>;
    } }[ControlRecordKind]
  /** A kind of a later version of Kafka, which readers are to skip. */
  | { readonly kind: 'unknown'; readonly type: number };

type FieldsOf<M> = M extends Message<infer T extends FieldTable> ? T : never;

/** Every value starts with its version: in front of the old transaction marker, within the other messages. */
export function encodeControlRecord<K extends ControlRecordKind>(
  kind: K, version: number, value: Input<FieldsOf<ControlRecords[K]['message']>>,
): { readonly key: Buffer; readonly value: Buffer } {
  const { type, message } = controlRecords[kind];
  const key = new Writer(16);
  key.int16(KEY_VERSION, 'version');
  key.int16(type, 'type');
  const body = new Writer(64);
  if (message === endTxnMarker) body.int16(version, 'version');
  (message as unknown as Message<FieldTable>).write(body, version, value as Input<FieldTable>);
  return { key: key.finish(), value: body.finish() };
}

export function decodeControlRecord(key: Buffer, value: Buffer): ControlRecord {
  const keyReader = new Reader(key);
  const keyVersion = keyReader.int16('key.version');
  if (keyVersion < 0) throw new ProtocolError('malformed', `invalid version ${keyVersion}`, 'key.version');
  const type = keyReader.int16('key.type');
  const found = Object.entries(controlRecords).find(([, record]) => record.type === type);
  if (found === undefined) return { kind: 'unknown', type };
  const [kind, { message }] = found;
  const reader = new Reader(value);
  const version = reader.peekInt16(0, 'value.version');
  if (message === endTxnMarker) reader.int16('value.version');
  return { kind, version, value: message.read(reader, version) } as ControlRecord;
}
