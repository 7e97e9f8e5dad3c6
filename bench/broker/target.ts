// What a workload is aimed at: a broker, or the bare server that does only the necessary work. Workloads open a topic on it, put load on
// the port they get, and close it; how each side makes that come true is its own business.
import { type Mode, type Side } from '../suite/measurement.js';

export interface TopicRequest {
  readonly name: string;
  readonly partitions: number;
  readonly mode: Mode;
  /** What the bare server has to do for it; the topic's mode decides when left out. */
  readonly bareWork?: 'receive' | 'write' | 'journal' | { readonly fetchBytes: number; readonly recordSize: number; readonly batchRecords: number };
  /** Bytes that may be kept before the oldest segments go. Default 4 GB. */
  readonly retainBytes?: number;
  /** Settings of the topic beside those that mode and retention make. */
  readonly configs?: Readonly<Record<string, string>>;
}

export interface OpenTopic {
  readonly name: string;
  readonly partitions: number;
  readonly port: number;
  /** Of the broker's process, all threads. */
  cpuSeconds(): number;
  close(): Promise<void>;
}

export interface Target {
  readonly side: Side;
  /** Which modes of a topic it is measured in. */
  readonly modes: readonly Mode[];
  /** Where its data lies, for warming the page cache. */
  readonly directory: string;
  /** Whether a partition's end is known, so that reading can be measured against it with several partitions. */
  open(topic: TopicRequest): Promise<OpenTopic>;
}

const KEPT = 4e9;
const LARGEST_SEGMENT = 64 << 20;
const SMALLEST_SEGMENT = 4 << 20;

/** Small segments and retention by size: a run of any length keeps `retain` bytes, more than the kernel lets lie dirty, so write-back is in it. */
export function retentionConfigs(partitions: number, retain = KEPT): Record<string, string> {
  const each = retain / partitions;
  const segment = Math.round(Math.min(LARGEST_SEGMENT, Math.max(SMALLEST_SEGMENT, each / 4)));
  return {
    'segment.bytes': String(segment),
    'retention.bytes': String(Math.round(Math.max(segment, each - segment))),
    'file.delete.delay.ms': '1000',
  };
}
