// An engine in memory: logs are lists of batches, everything is durable at once. Requests are put in by hand, answers are
// kept by token. What was asked of the data plane is written down for tests to look at.
import {
  type AppendOutcome, type CleanerSettings, type ControlRequest, type EngineEvents, type EngineStats, type FoundOffset,
  type ListenerSpec, type LogDescription, type LogEnds, type OpenInfo, type PartitionOutcome, type PartitionRef,
  type PartitionSpec, type PlaneSettings, type ReadOutcome, type RecordInput, type PackedRecords, type NativeRecord, type RecoveryReport,
  type TopicPublication, type LogSettings,
} from '../../../src/native/binding.js';
import { NativeError } from '../../../src/native/errors.js';
import { type EnginePort } from '../../../src/broker/engine-port.js';
import { unpackRecords } from '../../../src/native/records.js';
import { buildBatch, parseBatches, readRecords } from '../../../src/protocol/records/batch.js';

interface FakeLog {
  topic: string;
  spec: PartitionSpec;
  settings: LogSettings;
  batches: { base: bigint; last: bigint; bytes: Buffer; epoch: number; maxTimestamp: bigint }[];
  logStart: bigint;
  end: bigint;
}

/** What outlives the engine: a "disk" for the next one. */
export class FakeDisk {
  readonly logs = new Map<string, FakeLog>();
  clusterId = 'fakeClusterIdAAAAAAAAA';
  directoryId = 'fakeDirectoryAAAAAAAAA';
  isClean = true;
}

function keyOf({ topicId, partition }: PartitionRef): string {
  return `${topicId}:${partition}`;
}

export class FakeEngine implements EnginePort {
  readonly disk: FakeDisk;
  readonly calls: string[] = [];
  readonly published = new Map<string, TopicPublication>();
  readonly answers = new Map<number, Buffer>();
  readonly closed = new Map<number, string>();
  readonly open_ = new Set<string>();
  planeSettings: PlaneSettings | undefined;
  cleanerSettings: CleanerSettings | undefined;
  listeners: readonly ListenerSpec[] = [];
  /** Called before an append; what it throws is what the append fails with. */
  beforeAppend: (ref: PartitionRef) => Promise<void> | void = () => {};
  /** The outcome of opening a partition; null is well. */
  openOutcome: (spec: PartitionSpec) => PartitionOutcome = () => null;
  #events: EngineEvents | undefined;
  #isRecovered = false;
  #waiters = new Map<number, (answer: Buffer | Error) => void>();

  constructor(disk = new FakeDisk(), events?: EngineEvents) {
    this.disk = disk;
    this.#events = events;
  }

  listen(listeners: readonly ListenerSpec[], settings: PlaneSettings): Promise<number[]> {
    this.calls.push('listen');
    this.listeners = listeners;
    this.planeSettings = settings;
    return Promise.resolve(listeners.map(({ port }, index) => (port === 0 ? 40_000 + index : port)));
  }

  setPlaneSettings(settings: PlaneSettings): Promise<void> {
    this.planeSettings = settings;
    return Promise.resolve();
  }

  setCleanerSettings(settings: CleanerSettings): Promise<void> {
    this.cleanerSettings = settings;
    return Promise.resolve();
  }

  /** As if a client had sent it. Resolves with the answer, or fails when the connection is closed instead. */
  request(request: ControlRequest): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#waiters.set(request.token, (answer) => (answer instanceof Error ? reject(answer) : resolve(answer)));
      this.#events?.onRequests([request]);
    });
  }

  respond(token: number, response: Uint8Array): void {
    const answer = Buffer.from(response);
    this.answers.set(token, answer);
    this.#waiters.get(token)?.(answer);
    this.#waiters.delete(token);
  }

  closeConnection(token: number, why: string): void {
    this.closed.set(token, why);
    this.#waiters.get(token)?.(new Error(`connection closed: ${why}`));
    this.#waiters.delete(token);
  }

  parked(token: number): void {
    this.calls.push(`parked ${token}`);
  }

  caughtUp(): Promise<void> {
    return Promise.resolve();
  }

  open(): Promise<OpenInfo> {
    this.calls.push('open');
    const { clusterId, directoryId, isClean } = this.disk;
    this.disk.isClean = false;
    return Promise.resolve({ clusterId, directoryId, clean: isClean, driver: 'epoll', directIo: false });
  }

  openPartitions(specs: readonly PartitionSpec[]): Promise<PartitionOutcome[]> {
    this.calls.push(`open ${specs.map(({ topic, partition }) => `${topic}-${partition}`).join(' ')}`);
    return Promise.resolve(specs.map((spec) => {
      const outcome = this.openOutcome(spec);
      if (outcome !== null) return outcome;
      const known = this.disk.logs.get(keyOf(spec));
      if (known === undefined) {
        const { topic, settings } = spec;
        this.disk.logs.set(keyOf(spec), { topic, spec, settings, batches: [], logStart: 0n, end: 0n });
      } else {
        known.spec = spec;
        known.settings = spec.settings;
      }
      this.open_.add(keyOf(spec));
      return null;
    }));
  }

  finishRecovery({ keepUnknown }: { keepUnknown: boolean }): Promise<RecoveryReport> {
    this.calls.push('recovered');
    this.#isRecovered = true;
    const strays: string[] = [];
    if (!keepUnknown) {
      for (const [key, log] of this.disk.logs) {
        if (this.open_.has(key)) continue;
        strays.push(`${log.topic}-${log.spec.partition}`);
        this.disk.logs.delete(key);
      }
    }
    return Promise.resolve({ clean: true, journalBytesRead: 0, entriesReplayed: 0, entriesSkipped: 0, strays });
  }

  setPartitionSettings(list: readonly (PartitionRef & { settings: LogSettings })[]): Promise<PartitionOutcome[]> {
    this.calls.push(`settings ${list.length}`);
    return Promise.resolve(list.map((entry) => {
      this.#log(entry).settings = entry.settings;
      return null;
    }));
  }

  deletePartitions(list: readonly PartitionRef[]): Promise<PartitionOutcome[]> {
    this.calls.push(`delete ${list.length}`);
    return Promise.resolve(list.map((ref) => {
      this.disk.logs.delete(keyOf(ref));
      this.open_.delete(keyOf(ref));
      return null;
    }));
  }

  async appendRecords(ref: PartitionRef, records: readonly RecordInput[], options: { readonly control?: boolean } = {}): Promise<AppendOutcome> {
    await this.beforeAppend(ref);
    if (!this.#isRecovered) throw new NativeError({ code: 'offline', message: 'recovery is not finished' });
    const log = this.#log(ref);
    const base = log.end;
    const times = records.map(({ timestampMs }) => BigInt(timestampMs ?? Date.now()));
    const bytes = buildBatch({
      records: records.map(({ key, value }, index) => ({ key, value, timestamp: times[index]! })),
      baseOffset: base,
      partitionLeaderEpoch: log.spec.leaderEpoch,
      timestamp: times[0]!,
      isControl: options.control === true,
    });
    log.end += BigInt(records.length);
    const last = log.end - 1n;
    log.batches.push({ base, last, bytes, epoch: log.spec.leaderEpoch, maxTimestamp: times.reduce((a, b) => (a > b ? a : b)) });
    return { baseOffset: base, lastOffset: last, logAppendTimeMs: -1 };
  }

  read(ref: PartitionRef, offset: bigint, maxBytes: number): Promise<ReadOutcome> {
    const log = this.#log(ref);
    const wanted: Buffer[] = [];
    let size = 0;
    for (const { last, bytes } of log.batches) {
      if (last < offset) continue;
      if (wanted.length > 0 && size + bytes.length > maxBytes) break;
      wanted.push(bytes);
      size += bytes.length;
    }
    return Promise.resolve({ batches: Buffer.concat(wanted), ...this.#ends(log) });
  }

  async readPacked(ref: PartitionRef, offset: bigint, maxBytes: number): Promise<PackedRecords> {
    const { batches, ...ends } = await this.read(ref, offset, maxBytes);
    const parsed = parseBatches(batches);
    const records = parsed.filter(({ isControl }) => !isControl).flatMap((batch) => readRecords(batch)).filter((record) => record.offset >= offset);
    const parts: Buffer[] = [];
    let size = 0;
    const put = (part: Uint8Array | null): [number, number] => {
      if (part === null) return [0, -1];
      parts.push(Buffer.from(part));
      size += part.length;
      return [size - part.length, part.length];
    };
    return {
      ...ends,
      baseOffset: offset,
      nextOffset: (parsed.at(-1)?.lastOffset ?? offset - 1n) + 1n,
      table: Float64Array.from(records.flatMap((r) => [Number(r.offset - offset), Number(r.timestamp), ...put(r.key), ...put(r.value)])),
      bytes: Buffer.concat(parts),
      headers: new Int32Array(0),
    };
  }

  async #allRecords(ref: PartitionRef): Promise<NativeRecord[]> {
    return unpackRecords(await this.readPacked(ref, this.#log(ref).logStart, Infinity));
  }

  ends(ref: PartitionRef): Promise<LogEnds> {
    return Promise.resolve().then(() => this.#ends(this.#log(ref)));
  }

  async findTimestamp(ref: PartitionRef, timestampMs: bigint): Promise<FoundOffset | null> {
    const records = await this.#allRecords(ref);
    const found = records.find((record) => BigInt(record.timestampMs) >= timestampMs);
    return found === undefined ? null : this.#found(ref, found.offset, BigInt(found.timestampMs));
  }

  async findMaxTimestamp(ref: PartitionRef): Promise<FoundOffset | null> {
    const records = await this.#allRecords(ref);
    if (records.length === 0) return null;
    const found = records.reduce((a, b) => (b.timestampMs > a.timestampMs ? b : a));
    return this.#found(ref, found.offset, BigInt(found.timestampMs));
  }

  epochOf(ref: PartitionRef, offset: bigint): Promise<number> {
    const batch = this.#log(ref).batches.find(({ last }) => last >= offset);
    return Promise.resolve(batch?.epoch ?? -1);
  }

  endOffsetForEpoch(ref: PartitionRef, leaderEpoch: number): Promise<{ leaderEpoch: number; endOffset: bigint }> {
    const log = this.#log(ref);
    if (leaderEpoch === log.spec.leaderEpoch) return Promise.resolve({ leaderEpoch, endOffset: log.end });
    if (leaderEpoch > log.spec.leaderEpoch) return Promise.resolve({ leaderEpoch: -1, endOffset: -1n });
    const upTo = log.batches.filter(({ epoch }) => epoch <= leaderEpoch).at(-1);
    return Promise.resolve(upTo === undefined
      ? { leaderEpoch: -1, endOffset: -1n }
      : { leaderEpoch: upTo.epoch, endOffset: upTo.last + 1n });
  }

  deleteRecords(ref: PartitionRef, before: bigint): Promise<bigint> {
    const log = this.#log(ref);
    if (before > log.logStart) log.logStart = before;
    return Promise.resolve(log.logStart);
  }

  describeLogs(): Promise<LogDescription[]> {
    return Promise.resolve([...this.disk.logs.values()].map((log) => ({
      topicId: log.spec.topicId,
      partition: log.spec.partition,
      topic: log.topic,
      ...this.#ends(log),
      sizeBytes: log.batches.reduce((sum, { bytes }) => sum + bytes.length, 0),
      segments: 1,
      offline: null,
    })));
  }

  publishTopics(topics: readonly TopicPublication[]): Promise<void> {
    this.calls.push(`publish ${topics.map(({ name }) => name).join(' ')}`);
    for (const topic of topics) this.published.set(topic.topicId, topic);
    return Promise.resolve();
  }

  withdrawTopic(topicId: string): Promise<void> {
    this.calls.push('withdraw');
    this.published.delete(topicId);
    return Promise.resolve();
  }

  stats(): Promise<EngineStats> {
    return Promise.reject(new Error('the fake engine counts nothing'));
  }

  close({ clean }: { clean: boolean }): Promise<void> {
    this.calls.push(`close ${clean ? 'clean' : 'at once'}`);
    this.disk.isClean = clean;
    return Promise.resolve();
  }

  #log(ref: PartitionRef): FakeLog {
    const log = this.disk.logs.get(keyOf(ref));
    if (log === undefined || !this.open_.has(keyOf(ref))) {
      throw new NativeError({ code: 'not_found', message: `no partition ${keyOf(ref)}` });
    }
    return log;
  }

  #ends({ logStart, end, spec }: FakeLog): LogEnds {
    return { logStart, highWatermark: end, lastStable: end, end, leaderEpoch: spec.leaderEpoch };
  }

  async #found(ref: PartitionRef, offset: bigint, timestampMs: bigint): Promise<FoundOffset> {
    return { offset, timestampMs, leaderEpoch: await this.epochOf(ref, offset) };
  }
}
