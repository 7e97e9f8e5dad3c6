// What is measured. Each workload runs against a fresh topic, twice on every start of a broker: the first pass finds it cold, the
// second one is the row's number. Batches are about 64 KiB; the requests are built by sluice-load, the same for every side.

/** Whether an acknowledged record has to be on disk: `flush.messages=1` for both sides, or the page cache for both. */
export type Durability = 'os' | 'fsync';

export interface Workload {
  readonly name: string;
  readonly title: string;
  readonly durability: Durability;
  readonly command: 'produce' | 'fetch' | 'e2e';
  readonly partitions: number;
  /** Arguments of sluice-load, `--bytes` and `--seconds` and `--count` scaled by --scale. */
  readonly args: Readonly<Record<string, number>>;
  /** What its table rows are made of. */
  readonly unit: 'bytes' | 'requests' | 'latency';
  /** What the bare server does for it. */
  readonly bare: 'write' | 'journal' | 'fetch' | 'none';
}

const bigBatches = (record: 'k' | 'b') =>
  record === 'k' ? { '--record-size': 1024, '--batch-records': 60 } : { '--record-size': 100, '--batch-records': 600 };

const oneRecord = { '--record-size': 100, '--batch-records': 1 };

export const workloads: readonly Workload[] = [
  ...(['os', 'fsync'] as const).flatMap((durability): Workload[] => {
    const bare = durability === 'os' ? 'write' : 'journal';
    return [
      {
        name: `produce-1k-${durability}`,
        title: 'produce 1 KiB records, 16 partitions',
        ...{ durability, bare, command: 'produce', partitions: 16, unit: 'bytes' },
        args: { ...bigBatches('k'), '--bytes': 600e6, '--depth': 5 },
      },
      {
        name: `produce-100b-${durability}`,
        title: 'produce 100 B records, 16 partitions',
        ...{ durability, bare, command: 'produce', partitions: 16, unit: 'bytes' },
        args: { ...bigBatches('b'), '--bytes': 300e6, '--depth': 5 },
      },
      {
        name: `paced-20mb-${durability}`,
        title: 'produce 20 MB/s of 1 KiB, 16 partitions, 4 KiB batches',
        ...{ durability, bare, command: 'produce', partitions: 16, unit: 'latency' },
        args: { '--record-size': 1024, '--batch-records': 4, '--rate': 20, '--depth': 50, '--seconds': 3, '--warmup': 0.5 },
      },
      {
        name: `pipelined-${durability}`,
        title: 'one 100 B record a request, 50 in flight',
        ...{ durability, bare, command: 'produce', partitions: 1, unit: 'requests' },
        args: { ...oneRecord, '--seconds': 2, '--depth': 50 },
      },
      {
        name: `single-${durability}`,
        title: 'one 100 B record a request, one at a time',
        ...{ durability, bare, command: 'produce', partitions: 1, unit: 'requests' },
        args: { ...oneRecord, '--seconds': 2, '--depth': 1 },
      },
      {
        name: `clients-64-${durability}`,
        title: 'one 100 B record a request, 64 connections, each one at a time',
        ...{ durability, bare, command: 'produce', partitions: 16, unit: 'requests' },
        args: { ...oneRecord, '--seconds': 2, '--depth': 1, '--connections': 64 },
      },
      {
        name: `e2e-${durability}`,
        title: 'end to end, 100 B, one at a time',
        ...{ durability, bare: 'none', command: 'e2e', partitions: 1, unit: 'latency' },
        args: { '--record-size': 100, '--count': 3000 },
      },
    ];
  }),
  {
    name: 'fetch-1k',
    title: 'fetch 1 KiB records, 16 partitions, in memory',
    ...{ durability: 'os', bare: 'fetch', command: 'fetch', partitions: 16, unit: 'bytes' },
    args: { ...bigBatches('k'), '--bytes': 600e6 },
  },
];
