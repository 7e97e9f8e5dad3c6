// Snapshots of the metadata log in Kafka's form, `<end offset>-<epoch>.checkpoint`: the image as records. A start reads the newest one and goes on behind
// it, and what it covers can leave the log.
//
//   snapshot := control batch (header, and what is known of the voters)  batch of records *  control batch (footer)
import { open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { buildBatch, parseBatches, readRecords } from '../protocol/records/batch.js';
import { decodeControlRecord, encodeControlRecord } from '../protocol/records/control/index.js';
import { type MetadataImage } from '../metadata/image.js';
import { snapshotRecords } from '../metadata/snapshot.js';
import { type Logger } from '../kafka/services.js';
import { messageOf } from './errors.js';

const NAME = /^(\d{20})-(\d{10})\.checkpoint$/;
const HALF_WRITTEN = /\.checkpoint\.part$/;
const BATCH_BYTES = 256 << 10;

export interface SnapshotFile {
  readonly path: string;
  /** One past the last record that is in it. */
  readonly end: bigint;
  readonly epoch: number;
}

export interface ControlPair {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** What the log says of its own form and of its voters, newest of each kind; a snapshot says it again. */
export type RaftControls = ReadonlyMap<'kRaftVersion' | 'voters', ControlPair>;

/** Those that are there, oldest first. A directory that is not there has none. */
export async function listSnapshots(directory: string): Promise<SnapshotFile[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return [] as string[];
  });
  const found = names.flatMap((name) => {
    const match = NAME.exec(name);
    return match === null ? [] : [{ path: join(directory, name), end: BigInt(match[1]!), epoch: Number(match[2]) }];
  });
  return found.sort((a, b) => (a.end < b.end || (a.end === b.end && a.epoch < b.epoch) ? -1 : 1));
}

function* batchesOf(image: MetadataImage, controls: RaftControls, timestamp: bigint): Generator<Buffer> {
  let baseOffset = 0n;
  const batch = (records: readonly { key?: Buffer; value: Buffer }[], isControl: boolean): Buffer => {
    const bytes = buildBatch({ baseOffset, partitionLeaderEpoch: image.epoch, timestamp, records, isControl });
    baseOffset += BigInt(records.length);
    return bytes;
  };
  const header = encodeControlRecord('snapshotHeader', 0, { version: 0, lastContainedLogTimestamp: timestamp });
  yield batch([header, ...['kRaftVersion' as const, 'voters' as const].flatMap((kind) => controls.get(kind) ?? [])], true);
  let values: { value: Buffer }[] = [];
  let bytes = 0;
  for (const value of snapshotRecords(image)) {
    values.push({ value });
    bytes += value.length;
    if (bytes < BATCH_BYTES) continue;
    yield batch(values, false);
    values = [];
    bytes = 0;
  }
  if (values.length > 0) yield batch(values, false);
  yield batch([encodeControlRecord('snapshotFooter', 0, { version: 0 })], true);
}

/** Durable, and there under its name, when it resolves. */
export async function writeSnapshot(directory: string, image: MetadataImage, controls: RaftControls, timestamp: bigint): Promise<SnapshotFile> {
  const end = image.offset + 1n;
  const name = `${String(end).padStart(20, '0')}-${String(image.epoch).padStart(10, '0')}.checkpoint`;
  const path = join(directory, name);
  const file = await open(`${path}.part`, 'w');
  try {
    for (const batch of batchesOf(image, controls, timestamp)) {
      await file.writeFile(batch); // all of it: a write may take less
      await nextTurn(); // others have their turn while a large cluster is written
    }
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.part`, path);
  const folder = await open(directory, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
  return { path, end, epoch: image.epoch };
}

/** When the last record in the snapshot was written, by its header; null where there is none to read. */
async function timestampOf(snapshot: SnapshotFile): Promise<number | null> {
  const [first] = parseBatches(await readFile(snapshot.path), { partialTail: 'ignore' });
  if (first === undefined || !first.isControl) return null;
  const [record] = readRecords(first);
  if (record?.key == null || record.value === null) return null;
  const header = decodeControlRecord(record.key, record.value);
  return header.kind === 'snapshotHeader' ? Number(header.value.lastContainedLogTimestamp) : null;
}

/** Segments and snapshots that are there. */
async function bytesIn(directory: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(directory)) {
    if (name.endsWith('.log') || NAME.test(name)) bytes += (await stat(join(directory, name)).catch(() => ({ size: 0 }))).size;
  }
  return bytes;
}

export interface SnapshotLimits {
  readonly bytesBetween: number;
  readonly intervalMs: number;
  readonly retentionBytes: number;
  readonly retentionMs: number;
}

export interface SnapshotsOptions {
  readonly directory: string;
  readonly log: Logger;
  readonly limits: SnapshotLimits;
  readonly controls: RaftControls;
  readonly now: () => number;
  /** Bytes of records behind the newest snapshot, as found at the start. */
  readonly bytesSince: number;
  logStart(): Promise<bigint>;
  /** Moves the start of the metadata log up. */
  trim(before: bigint): Promise<void>;
}

/** Makes snapshots as the log grows, one at a time, and takes away what they cover once it is too old or too much. */
export class MetadataSnapshots {
  readonly #options: SnapshotsOptions;
  #bytesSince: number;
  #newest: MetadataImage | undefined;
  #snapshotOffset = -1n;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: SnapshotsOptions) {
    this.#options = options;
    this.#bytesSince = options.bytesSince;
  }

  appended(bytes: number): void {
    this.#bytesSince += bytes;
  }

  /** The image that is durable and served now. */
  offer(image: MetadataImage): void {
    this.#newest = image;
    const { bytesBetween, intervalMs } = this.#options.limits;
    if (this.#bytesSince >= bytesBetween) this.#make();
    else if (intervalMs > 0 && this.#timer === undefined && !this.#isClosed) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#make();
      }, Math.min(intervalMs, 2 ** 31 - 1)).unref();
    }
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Resolves when nothing is being made. */
  async settled(): Promise<void> {
    await this.#running;
  }

  #make(): void {
    const image = this.#newest;
    if (this.#isClosed || this.#running !== undefined || image === undefined || image.offset <= this.#snapshotOffset) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#bytesSince = 0;
    this.#running = this.#write(image)
      .catch((error: unknown) => this.#options.log.warn(`no snapshot of the metadata at offset ${image.offset}: ${messageOf(error)}`))
      .finally(() => {
        this.#running = undefined;
        if (this.#newest !== undefined && this.#newest !== image) this.offer(this.#newest);
      });
  }

  async #write(image: MetadataImage): Promise<void> {
    const { directory, controls, now } = this.#options;
    await writeSnapshot(directory, image, controls, BigInt(now()));
    this.#snapshotOffset = image.offset;
    await this.clean();
  }

  /** Kafka's rule: as long as log and snapshots are too large or the oldest is too old, everything before the next snapshot goes. */
  async clean(): Promise<void> {
    const { directory, limits, now, trim } = this.#options;
    for (const name of await readdir(directory)) if (HALF_WRITTEN.test(name)) await rm(join(directory, name), { force: true });
    const snapshots = await listSnapshots(directory);
    let logStart = await this.#options.logStart();
    for (const [index, next] of snapshots.entries()) {
      // The oldest thing is the snapshot before, or the records that no snapshot stands for.
      const oldest = snapshots[index - 1];
      if (oldest === undefined && next.end <= logStart) continue;
      const since = await timestampOf(oldest ?? next);
      const isOld = limits.retentionMs >= 0 && since !== null && now() - since > limits.retentionMs;
      const isLarge = limits.retentionBytes >= 0 && (await bytesIn(directory)) > limits.retentionBytes;
      if (!isOld && !isLarge) return;
      if (next.end > logStart) {
        await trim(next.end);
        logStart = next.end;
      }
      if (oldest !== undefined) await rm(oldest.path);
    }
  }
}
