// The metadata log on disk: reading it into an image, from a snapshot where its beginning is gone, and appending to it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LogSettings, type PartitionRef } from '../native/binding.js';
import { decodeControlRecord, encodeControlRecord } from '../protocol/records/control/index.js';
import { decodeMetadataRecord } from '../protocol/records/metadata/index.js';
import { type RecordBatch, parseBatches, readRecords } from '../protocol/records/batch.js';
import { ProtocolError } from '../protocol/error.js';
import { ImageFolder, MetadataError } from '../metadata/apply.js';
import { type MetadataImage, emptyImage } from '../metadata/image.js';
import { METADATA_TOPIC, METADATA_TOPIC_ID } from '../metadata/ids.js';
import { type MetadataLog } from '../metadata/store.js';
import { type BrokerSettings } from '../config/layered.js';
import { type EnginePort, asKafkaErrors } from './engine-port.js';
import { type ControlPair, type RaftControls, type SnapshotFile, listSnapshots } from './metadata-snapshots.js';

export const METADATA_PARTITION: PartitionRef = { topicId: METADATA_TOPIC_ID, partition: 0 };

const READ_BYTES = 1 << 20;
/** Kafka's raft log takes batches of at most this size. */
const MAX_BATCH_BYTES = 8 << 20;

/** Metadata is durable before it counts, whatever the broker's mode, and nothing of it is ever deleted. */
export const METADATA_LOG_SETTINGS: LogSettings = {
  segmentBytes: 1 << 30,
  segmentMs: 7 * 24 * 3600 * 1000,
  segmentIndexBytes: 10 << 20,
  indexIntervalBytes: 4096,
  retentionMs: -1,
  retentionBytes: -1,
  fileDeleteDelayMs: 60_000,
  maxMessageBytes: MAX_BATCH_BYTES,
  cleanupDelete: false,
  cleanupCompact: false,
  minCleanableRatio: 0.5,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
  deleteRetentionMs: 86_400_000,
  logAppendTime: false,
  timestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  timestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
  compression: 'producer',
  producerIdExpirationMs: 86_400_000,
  durability: 'fsync',
};

export function metadataLogSettings(settings: BrokerSettings): LogSettings {
  return {
    ...METADATA_LOG_SETTINGS,
    segmentBytes: settings.get('internal.metadata.log.segment.bytes') ?? settings.get('metadata.log.segment.bytes'),
    segmentMs: Math.min(settings.get('metadata.log.segment.ms'), Number.MAX_SAFE_INTEGER),
  };
}

export function metadataDirectory(logDir: string): string {
  return join(logDir, `${METADATA_TOPIC}-0`);
}

export interface LoadedMetadata {
  readonly image: MetadataImage;
  /** A metadata transaction was begun and never ended: it must be aborted before anything else is written. */
  readonly isInTransaction: boolean;
  /** No metadata was ever written: the log has control records at most. The image may hold what Kafka's format tool left to begin with. */
  readonly isEmpty: boolean;
  /** What a snapshot has to say of the raft log itself. */
  readonly controls: RaftControls;
  /** Bytes that were read behind the snapshot. */
  readonly bytesBehindSnapshot: number;
}

class Loader {
  readonly #folder: ImageFolder;
  readonly #nodeId: number;
  readonly controls = new Map<'kRaftVersion' | 'voters', ControlPair>();
  /** The log has a record that is not of the raft log itself. */
  hasMetadata = false;
  #next: bigint;

  constructor(image: MetadataImage, nodeId: number) {
    this.#folder = new ImageFolder(image);
    this.#nodeId = nodeId;
    this.#next = image.offset + 1n;
  }

  get next(): bigint {
    return this.#next;
  }

  addLogBatch(batch: RecordBatch): void {
    if (batch.lastOffset < this.#next) return;
    for (const record of this.#records(batch)) {
      if (record.offset < this.#next) continue;
      if (record.offset !== this.#next) {
        throw new MetadataError(`the metadata log has no record at offset ${this.#next}: the next one is at ${record.offset}`);
      }
      this.#add(batch, record.offset, record.key, record.value);
      this.hasMetadata ||= !batch.isControl;
      this.#next = record.offset + 1n;
    }
  }

  /** The offsets within a snapshot mean nothing; all its records stand for the log up to `last`. */
  addSnapshotBatch(batch: RecordBatch, last: bigint): void {
    for (const record of this.#records(batch)) this.#add(batch, last, record.key, record.value);
    this.#next = last + 1n;
  }

  finish(): { image: MetadataImage; isInTransaction: boolean } {
    return { image: this.#folder.finish(), isInTransaction: this.#folder.isInTransaction };
  }

  #records(batch: RecordBatch) {
    try {
      return readRecords(batch);
    } catch (error) {
      throw new MetadataError(`the metadata batch at offset ${batch.baseOffset} cannot be read: ${(error as Error).message}`);
    }
  }

  #add(batch: RecordBatch, offset: bigint, key: Buffer | null, value: Buffer | null): void {
    const epoch = batch.partitionLeaderEpoch;
    try {
      if (batch.isControl) {
        this.#control(key, value);
        this.#folder.add(offset, epoch, null);
      } else {
        if (value === null) throw new MetadataError('it has no value');
        this.#folder.add(offset, epoch, decodeMetadataRecord(value));
      }
    } catch (error) {
      if (!(error instanceof MetadataError) && !(error instanceof ProtocolError)) throw error;
      throw new MetadataError(`the metadata record at offset ${offset}: ${error.message}`);
    }
  }

  #control(key: Buffer | null, value: Buffer | null): void {
    if (key === null || value === null) return;
    const record = decodeControlRecord(key, value);
    if (record.kind === 'kRaftVersion' || record.kind === 'voters') this.controls.set(record.kind, { key, value });
    if (record.kind !== 'voters') return;
    const others = record.value.voters.map(({ voterId }) => voterId).filter((id) => id !== this.#nodeId);
    if (others.length > 0) {
      throw new MetadataError(`it names the voters ${others.join(', ')}: this node, ${this.#nodeId}, can only be the one voter`);
    }
  }
}

/** The newest snapshot that the log goes on from. */
async function usableSnapshot(directory: string, logStart: bigint, end: bigint): Promise<SnapshotFile | undefined> {
  const newest = (await listSnapshots(directory)).at(-1);
  // One at offset 0 is what `kafka-storage format` wrote: records to begin a log with, where there is none yet.
  if (newest === undefined || (newest.end === 0n && end > 0n)) return undefined;
  if (newest.end < logStart) {
    throw new MetadataError(`the metadata log begins at offset ${logStart}, but its newest snapshot ends at ${newest.end}`);
  }
  if (newest.end > end) {
    throw new MetadataError(`the metadata log ends at offset ${end}, but its newest snapshot at ${newest.end}`);
  }
  return newest;
}

export async function loadMetadata(engine: EnginePort, logDir: string, nodeId: number): Promise<LoadedMetadata> {
  const { logStart, end } = await engine.ends(METADATA_PARTITION);
  const snapshot = await usableSnapshot(metadataDirectory(logDir), logStart, end);
  if (snapshot === undefined && logStart > 0n) {
    throw new MetadataError(`the metadata log begins at offset ${logStart}, and there is no snapshot of what came before`);
  }
  const loaded = await foldLog(engine, nodeId, snapshot, end);
  if (loaded.loader.hasMetadata || (snapshot?.end ?? 0n) > 0n) return finished(loaded, false);
  // A first start that came no further than its leader change.
  const formatted = (await listSnapshots(metadataDirectory(logDir))).at(-1);
  return finished(formatted === undefined || formatted === snapshot ? loaded : await foldLog(engine, nodeId, formatted, end), true);
}

interface Folded {
  readonly loader: Loader;
  readonly bytes: number;
}

function finished({ loader, bytes }: Folded, isEmpty: boolean): LoadedMetadata {
  return { ...loader.finish(), isEmpty, controls: loader.controls, bytesBehindSnapshot: bytes };
}

async function foldLog(engine: EnginePort, nodeId: number, snapshot: SnapshotFile | undefined, end: bigint): Promise<Folded> {
  const loader = new Loader(emptyImage, nodeId);
  if (snapshot !== undefined) {
    for (const batch of parseBatches(await readFile(snapshot.path))) loader.addSnapshotBatch(batch, snapshot.end - 1n);
  }
  let bytes = 0;
  while (loader.next < end) {
    const at = loader.next;
    const { batches } = await engine.read(METADATA_PARTITION, at, READ_BYTES, 'uncommitted');
    for (const batch of parseBatches(batches, { partialTail: 'ignore' })) loader.addLogBatch(batch);
    if (loader.next === at) throw new MetadataError(`the metadata log cannot be read at offset ${at}`);
    bytes += batches.length;
  }
  return { loader, bytes };
}

/** The first record of each epoch of the raft log. Kafka writes and reads it in version 0 whatever it knows of voters. */
export async function appendLeaderChange(engine: EnginePort, nodeId: number): Promise<bigint> {
  const voters = [{ voterId: nodeId }];
  const record = encodeControlRecord('leaderChange', 0, { version: 0, leaderId: nodeId, voters, grantingVoters: voters });
  const { baseOffset } = await asKafkaErrors(engine.appendRecords(METADATA_PARTITION, [record], { control: true }));
  return baseOffset;
}

export function engineMetadataLog(engine: EnginePort, onAppended: (bytes: number) => void): MetadataLog {
  return {
    async append(records) {
      const values = records.map((value) => ({ key: null, value }));
      const { baseOffset } = await asKafkaErrors(engine.appendRecords(METADATA_PARTITION, values));
      onAppended(records.reduce((sum, { length }) => sum + length, 0));
      return baseOffset;
    },
  };
}
