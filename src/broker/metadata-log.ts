// The metadata log on disk: reading it into an image, from a snapshot where its beginning is gone, and appending to it.
import { readFile, readdir } from 'node:fs/promises';
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
import { type EnginePort, asKafkaErrors } from './engine-port.js';

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

export function metadataDirectory(logDir: string): string {
  return join(logDir, `${METADATA_TOPIC}-0`);
}

export interface LoadedMetadata {
  readonly image: MetadataImage;
  /** A metadata transaction was begun and never ended: it must be aborted before anything else is written. */
  readonly isInTransaction: boolean;
  /** Nothing was ever written. The image may hold what Kafka's format tool left to begin with. */
  readonly isEmpty: boolean;
}

class Loader {
  readonly #folder: ImageFolder;
  readonly #nodeId: number;
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
    if (record.kind !== 'voters') return;
    const others = record.value.voters.map(({ voterId }) => voterId).filter((id) => id !== this.#nodeId);
    if (others.length > 0) {
      throw new MetadataError(`it names the voters ${others.join(', ')}: this node, ${this.#nodeId}, can only be the one voter`);
    }
  }
}

/** The newest snapshot that Kafka left: `<end offset>-<epoch>.checkpoint`. */
async function newestSnapshot(directory: string): Promise<{ path: string; end: bigint } | undefined> {
  const names = await readdir(directory).catch(() => [] as string[]);
  const snapshots = names.flatMap((name) => {
    const match = /^(\d{20})-\d{10}\.checkpoint$/.exec(name);
    return match === null ? [] : [{ path: join(directory, name), end: BigInt(match[1]!) }];
  });
  return snapshots.sort((a, b) => (a.end < b.end ? -1 : 1)).at(-1);
}

export async function loadMetadata(engine: EnginePort, logDir: string, nodeId: number): Promise<LoadedMetadata> {
  const { logStart, end } = await engine.ends(METADATA_PARTITION);
  const snapshot = await newestSnapshot(metadataDirectory(logDir));
  const loader = new Loader(emptyImage, nodeId);
  // A snapshot at offset 0 is what `kafka-storage format` wrote: records to begin a log with, where there is none yet.
  if (snapshot !== undefined && (logStart > 0n || end === 0n)) {
    if (snapshot.end < logStart) {
      throw new MetadataError(`the metadata log begins at offset ${logStart}, but its newest snapshot ends at ${snapshot.end}`);
    }
    for (const batch of parseBatches(await readFile(snapshot.path))) loader.addSnapshotBatch(batch, snapshot.end - 1n);
  } else if (logStart > 0n) {
    throw new MetadataError(`the metadata log begins at offset ${logStart}, and there is no snapshot of what came before`);
  }
  while (loader.next < end) {
    const at = loader.next;
    const { batches } = await engine.read(METADATA_PARTITION, at, READ_BYTES, 'uncommitted');
    for (const batch of parseBatches(batches, { partialTail: 'ignore' })) loader.addLogBatch(batch);
    if (loader.next === at) throw new MetadataError(`the metadata log cannot be read at offset ${at}`);
  }
  return { ...loader.finish(), isEmpty: end === 0n };
}

/** The first record of each epoch of the raft log. Kafka writes and reads it in version 0 whatever it knows of voters. */
export async function appendLeaderChange(engine: EnginePort, nodeId: number): Promise<bigint> {
  const voters = [{ voterId: nodeId }];
  const record = encodeControlRecord('leaderChange', 0, { version: 0, leaderId: nodeId, voters, grantingVoters: voters });
  const { baseOffset } = await asKafkaErrors(engine.appendRecords(METADATA_PARTITION, [record], { control: true }));
  return baseOffset;
}

export function engineMetadataLog(engine: EnginePort): MetadataLog {
  return {
    async append(records) {
      const values = records.map((value) => ({ key: null, value }));
      const { baseOffset } = await asKafkaErrors(engine.appendRecords(METADATA_PARTITION, values));
      return baseOffset;
    },
  };
}
