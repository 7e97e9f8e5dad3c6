// The shape of the C++ addon. What stands here is what native/addon exports; nothing else of the addon is visible to TypeScript.
//
// All methods may be called at any time on the thread that made the engine; promises settle on it, in order of completion. A promise is
// rejected with a NativeError. Offsets are bigint, topic ids Kafka's 22-character text, times milliseconds since 1970.

export type Durability = 'fsync' | 'os';
export type IoDriver = 'io_uring' | 'epoll';
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

export interface EngineOptions {
  /** The log directory; made if missing. */
  dir: string;
  /** Empty or absent: what meta.properties says, or a new one. */
  clusterId?: string;
  nodeId?: number;
  /** Bytes that the journal may take on disk. */
  journalBytes?: number;
  ioDriver?: 'auto' | IoDriver;
  poolThreads?: number;
  /** How often retention looks for segments to delete. Default 1 s. */
  retentionCheckMs?: number;
  /** How long after the start it looks first. Default 0. */
  retentionDelayMs?: number;
  cleaner?: CleanerSettings;
  /** How fast sealed segments are read again, to find damage. 0: never. Default 8 MiB. */
  scrubBytesPerSecond?: number;
  /** From the beginning of one round of that to the next. Default a week. */
  scrubIntervalMs?: number;
}

/** How logs are compacted, all of them together: Kafka's log.cleaner.*. */
export interface CleanerSettings {
  enabled: boolean;
  threads: number;
  dedupeBufferBytes: number;
  loadFactor: number;
  ioBufferBytes: number;
  maxBytesPerSecond: number;
  backoffMs: number;
}

export interface OpenInfo {
  clusterId: string;
  directoryId: string;
  /** The last stop was clean, or this is the first start. */
  clean: boolean;
  driver: IoDriver;
  /** False where the file system refuses O_DIRECT, so that the journal uses plain writes and fdatasync. */
  directIo: boolean;
}

/** Settings of one log, resolved. Names and units are Kafka's topic settings; -1 means no limit. */
export interface LogSettings {
  segmentBytes: number;
  segmentMs: number;
  segmentIndexBytes: number;
  indexIntervalBytes: number;
  retentionMs: number;
  retentionBytes: number;
  fileDeleteDelayMs: number;
  maxMessageBytes: number;
  cleanupDelete: boolean;
  cleanupCompact: boolean;
  minCleanableRatio: number;
  minCompactionLagMs: number;
  maxCompactionLagMs: number;
  deleteRetentionMs: number;
  logAppendTime: boolean;
  /** Greatest difference allowed, Number.MAX_SAFE_INTEGER or more for none. */
  timestampBeforeMaxMs: number;
  timestampAfterMaxMs: number;
  /** 'producer' keeps what the producer chose. */
  compression: 'producer' | 'uncompressed' | Exclude<Compression, 'none'>;
  /** Absent: the codec's own default. */
  compressionLevel?: number;
  producerIdExpirationMs: number;
  durability: Durability;
}

export interface PartitionRef {
  topicId: string;
  partition: number;
}

export interface PartitionSpec extends PartitionRef {
  topic: string;
  leaderEpoch: number;
  settings: LogSettings;
}

/** One outcome per partition asked for: null is well. */
export type PartitionOutcome = NativeErrorInfo | null;

export interface NativeErrorInfo {
  /** One of native/base/result.h's code names: 'io', 'no_space', 'corrupt', 'offset_out_of_range', ... */
  code: string;
  message: string;
}

export interface RecoveryReport {
  clean: boolean;
  journalBytesRead: number;
  entriesReplayed: number;
  entriesSkipped: number;
  strays: string[];
}

export interface RecordInput {
  key: Uint8Array | null;
  value: Uint8Array | null;
  /** Absent: now. */
  timestampMs?: number;
  headers?: readonly { key: string; value: Uint8Array | null }[];
}

export interface AppendOutcome {
  baseOffset: bigint;
  lastOffset: bigint;
  /** -1 with CreateTime. */
  logAppendTimeMs: number;
}

export interface LogEnds {
  logStart: bigint;
  highWatermark: bigint;
  lastStable: bigint;
  /** Next offset in the file, maybe not durable yet. */
  end: bigint;
  leaderEpoch: number;
}

export interface ReadOutcome extends LogEnds {
  /** Whole record batches as they lie on disk; the first may begin before the offset asked for. */
  batches: Buffer;
}

export interface FoundOffset {
  offset: bigint;
  timestampMs: bigint;
  leaderEpoch: number;
}

export interface LogDescription extends PartitionRef, LogEnds {
  topic: string;
  sizeBytes: number;
  offline: string | null;
}

export interface ProducerDescription {
  producerId: bigint;
  producerEpoch: number;
  lastSequence: number;
  lastTimestampMs: number;
  coordinatorEpoch: number;
  currentTxnStartOffset: bigint;
}

export interface TopicPublication {
  name: string;
  topicId: string;
  internal: boolean;
  partitions: readonly { index: number; leaderEpoch: number }[];
}

export interface ListenerSpec {
  name: string;
  /** Address to bind; empty for all. */
  host: string;
  /** 0: chosen by the kernel. */
  port: number;
}

export interface PlaneSettings {
  nodeId: number;
  maxRequestBytes: number;
  idleMs: number;
  maxConnections: number;
  maxConnectionsPerIp: number;
  perIpOverrides: readonly { host: string; connections: number }[];
  /** New connections in a second. */
  maxConnectionRate: number;
  sendBufferBytes: number;
  maxSendBufferBytes: number;
  receiveBufferBytes: number;
  listenBacklog: number;
  requestMemoryBytes: number;
  connectionMemoryBytes: number;
  responseMemoryBytes: number;
  socketMemoryBytes: number;
  fetchMaxBytes: number;
  fetchSessionSlots: number;
  /** What is served, per key: requests outside are closed, as Kafka does. Produce and Fetch are answered natively. */
  served: readonly { key: number; min: number; max: number }[];
}

/** A request that the data plane hands up. */
export interface ControlRequest {
  token: number;
  connection: number;
  apiKey: number;
  apiVersion: number;
  correlationId: number;
  clientId: string | null;
  /** "127.0.0.1:50312" */
  peer: string;
  /** Index of the listener in the list given to listen(). */
  listener: number;
  receivedMs: number;
  /** Behind the request header. */
  body: Buffer;
}

export interface EngineEvents {
  onRequests(requests: ControlRequest[]): void;
  onDisconnect(connections: number[]): void;
  onLog(severity: 'info' | 'warn' | 'error', line: string): void;
  /**
   * Appends of appendPacked are done: groups of five numbers each (flight, first append, number of appends, offset of the first record, log
   * append time or -1), the offsets of a group's records following each other in the appends' order. In the place of the offset -1 - n means that the
   * group failed with failures[n]: one list, since they are told in the order of the appends.
   */
  onAppended?(groups: BigInt64Array, failures: NativeErrorInfo[]): void;
}

export interface EngineStats {
  partitions: number;
  journalCapacityBytes: number;
  journalUsedBytes: number;
  journalWrites: number;
  journalBytes: number;
  checkpoints: number;
  /** Compacted logs cleaned since the start. */
  cleanings: number;
  /** Bytes of sealed segments read again since the start, and places found damaged by that. */
  scrubbedBytes: number;
  scrubDamages: number;
  connections: number;
  requests: number;
  produceRequests: number;
  fetchRequests: number;
  controlRequests: number;
  bytesIn: number;
  bytesOut: number;
  requestMemoryBytes: number;
  responseMemoryBytes: number;
  fetchSessions: number;
  waitingRequests: number;
}

export interface NativeEngine {
  /** Takes the directory and starts the engine's thread. Once. */
  open(): Promise<OpenInfo>;
  openPartitions(specs: readonly PartitionSpec[]): Promise<PartitionOutcome[]>;
  /** Appends are refused with code 'offline' until this is done. keepUnknown: folders that nobody opened stay where they are. */
  finishRecovery(options: { keepUnknown: boolean }): Promise<RecoveryReport>;
  setCleanerSettings(settings: CleanerSettings): Promise<void>;
  setPartitionSettings(list: readonly (PartitionRef & { settings: LogSettings })[]): Promise<PartitionOutcome[]>;
  /** The log's directory is set aside and its files go after file.delete.delay.ms. */
  deletePartitions(list: readonly PartitionRef[]): Promise<PartitionOutcome[]>;

  /**
   * Appends that src/storage/packed-appends.ts has packed. The bytes are copied before this returns; appends next to each other with the same
   * partition and codec become one batch. Each is answered by onAppended, under the given number of the flight and its place in it.
   */
  appendPacked(topicId: string, flight: number, count: number, bytes: Uint8Array): void;
  /** One ready record batch (magic 2); it is validated as a client's would be. */
  appendBatch(ref: PartitionRef, batch: Uint8Array): Promise<AppendOutcome>;
  /** Resolves when everything below `end` is on disk whatever the mode. */
  whenDurable(ref: PartitionRef, end: bigint): Promise<void>;
  /** Resolves when the high watermark is above `offset`; rejected with 'timeout' after timeoutMs, or with 'closed' by cancelWait. */
  waitForOffset(ref: PartitionRef, offset: bigint, timeoutMs: number, waitId: number): Promise<LogEnds>;
  cancelWait(waitId: number): void;
  read(ref: PartitionRef, offset: bigint, maxBytes: number, isolation: 'uncommitted' | 'committed'): Promise<ReadOutcome>;
  /** Reads as read() does, to the high watermark, and takes the records from `offset` on apart, off this thread; for unpackRecords of records.ts. Markers are left out. */
  readPacked(ref: PartitionRef, offset: bigint, maxBytes: number): Promise<PackedRecords>;
  ends(ref: PartitionRef): Promise<LogEnds>;
  /** The first record with a timestamp of at least timestampMs; null when there is none. */
  findTimestamp(ref: PartitionRef, timestampMs: bigint): Promise<FoundOffset | null>;
  findMaxTimestamp(ref: PartitionRef): Promise<FoundOffset | null>;
  epochOf(ref: PartitionRef, offset: bigint): Promise<number>;
  endOffsetForEpoch(ref: PartitionRef, leaderEpoch: number): Promise<{ leaderEpoch: number; endOffset: bigint }>;
  /** Moves the log start up; resolves with it when that is durable. */
  deleteRecords(ref: PartitionRef, before: bigint): Promise<bigint>;
  describeLogs(): Promise<LogDescription[]>;
  producers(ref: PartitionRef): Promise<ProducerDescription[]>;
  /** Reads every batch of a partition and checks CRC and offsets. */
  verify(ref: PartitionRef): Promise<{ batches: number; records: number; bytes: number }>;

  /** Makes the data plane at the first call and binds what is listed, if anything; resolves with the ports. */
  listen(listeners: readonly ListenerSpec[], settings: PlaneSettings): Promise<number[]>;
  setPlaneSettings(settings: PlaneSettings): Promise<void>;
  publishTopics(topics: readonly TopicPublication[]): Promise<void>;
  withdrawTopic(topicId: string): Promise<void>;
  /** One response for each token, whole behind its size: header and body. Unknown tokens (the peer left) are ignored. */
  respond(tokens: readonly number[], responses: readonly Uint8Array[]): void;
  closeConnection(token: number, why: string): void;
  /** The request needs nothing more but an answer, once other requests have come: others may be handed over in its place. */
  parked(token: number): void;
  /** Resolves when every request that had reached this machine before, on a connection that is being read, has been handed over. */
  caughtUp(): Promise<void>;

  stats(): Promise<EngineStats>;
  /** clean: syncs, writes Kafka's checkpoints, takes the journal away. Otherwise stops as a crash would, without losing what is durable. */
  close(options: { clean: boolean }): Promise<void>;
}

export interface PackedRecords extends LogEnds {
  /** What the table's offsets are counted from. */
  baseOffset: bigint;
  /** Where to read on. */
  nextOffset: bigint;
  bytes: Buffer;
  /** Six numbers a record: offset above the base, time, position and length of key and of value in bytes; length -1 is null. */
  table: Float64Array;
  /** Five numbers a header: index of its record, position and length of key and of value. */
  headers: Int32Array;
}

export interface NativeRecord {
  offset: bigint;
  timestampMs: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: { key: string; value: Buffer | null }[];
}

export interface VerifyReport {
  /** The last stop was clean. */
  clean: boolean;
  partitions: number;
  segments: number;
  batches: number;
  indexEntries: number;
  snapshots: number;
  journalFrames: number;
  /** Of segments, as they were read. */
  bytes: number;
  /** In all; the list has the first of them. */
  damaged: number;
  damages: Damage[];
  /** What recovery will cut, make anew or finish. */
  notes: string[];
}

export interface Damage {
  file: string;
  /** "topic-0"; null for a file of the whole directory. */
  partition: string | null;
  position: number;
  what: string;
}

export interface Binding {
  createEngine(options: EngineOptions, events: EngineEvents): NativeEngine;
  /** Checks a directory that no engine has, without changing it; an empty topic means all. Rejected with 'locked' while an engine has it, and where there is nothing to check. */
  verifyDirectory(dir: string, topic: string): Promise<VerifyReport>;
  crc32c(data: Uint8Array): number;
}
