// A disk with a volatile cache: of what was written since its last flush a power cut keeps what it likes, sector by sector and in any order. The image of the
// file system is a file behind FUSE (scripts/test/record-image.c), which writes down every write and every flush of the loop device on it.
import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { compiled } from './compiled.js';
import { type DiskKind, NoSmallDisk } from './disk-image.js';
import { type Random } from './random.js';
import { SnapshotDisk } from './snapshot-disk.js';

const SECTOR = 512;
const HEAD_BYTES = 16;
const LONGEST_WAIT_MS = 500;

/** A write, and where its bytes lie in the log; a flush, if it has none. */
interface Write {
  readonly position: number;
  readonly length: number;
  readonly at: number;
}

export class CachingDisk extends SnapshotDisk {
  /** `unflushed`: writes that no flush had reached at a cut; `sectors lost`: what the cuts did not keep of them. */
  readonly figures = { writes: 0, flushes: 0, cuts: 0, unflushed: 0, 'sectors lost': 0 };
  readonly #random: Random;
  readonly #cutsPerSnapshot: number;
  readonly #log: string;
  /** How far the log was read. */
  #read = 0;
  #unflushed: Write[] = [];

  /** Throws NoSmallDisk. */
  constructor(kind: DiskKind, random: Random, cutsPerSnapshot: number) {
    const program = recorder();
    super(kind, 'caching');
    this.#random = random;
    this.#cutsPerSnapshot = cutsPerSnapshot;
    this.#log = this.onOuter('log');
    this.mounts.orDispose(() => {
      this.copy(this.onOuter('inner.image'), this.onOuter('flushed.image'));
      const recorded = join(this.mounts.folder, 'recorded');
      mkdirSync(recorded);
      const { status, stderr } = spawnSync(program, [recorded, this.onOuter('inner.image'), this.#log], { encoding: 'utf8' });
      if (status !== 0) throw new NoSmallDisk(`FUSE cannot be mounted here: ${stderr}`);
      this.mounts.mounted(recorded);
      this.mounts.mount(join(recorded, 'image'), this.path);
    });
  }

  /** Power cuts at one moment from now on, each of which keeps other things. */
  async snapshot(use: (path: string) => Promise<void>): Promise<void> {
    const from = statSync(this.#log).size;
    await delay(this.#random.fraction() * LONGEST_WAIT_MS);
    const records = this.#newRecords();
    const end = this.#moment(records, from);
    this.#follow(records.filter((record) => endOf(record) <= end));
    for (let cut = 0; cut < this.#cutsPerSnapshot; cut += 1) {
      this.figures.cuts += 1;
      this.figures.unflushed += this.#unflushed.length;
      await this.useCopy(this.onOuter('flushed.image'), use, (copy) => this.#keepSome(copy));
    }
  }

  /** A place in the log that is not before another one, behind a whole record; mostly one where something is not flushed. */
  #moment(records: readonly Write[], from: number): number {
    const places: number[] = [];
    const unflushed: number[] = [];
    let count = this.#unflushed.length;
    for (const record of records) {
      count = record.length > 0 ? count + 1 : 0;
      if (endOf(record) < from) continue;
      places.push(endOf(record));
      if (count > 0) unflushed.push(endOf(record));
    }
    if (places.length === 0) return from;
    return this.#random.pick(unflushed.length > 0 && this.#random.chance(0.9) ? unflushed : places);
  }

  /** Those that are whole by now and were not followed yet. What is behind them is still on its way, and so is the answer to whoever wrote it. */
  #newRecords(): Write[] {
    const records: Write[] = [];
    const log = openSync(this.#log, 'r');
    const head = Buffer.alloc(HEAD_BYTES);
    try {
      const { size } = fstatSync(log);
      for (let at = this.#read + HEAD_BYTES; at <= size;) {
        readSync(log, head, 0, HEAD_BYTES, at - HEAD_BYTES);
        const record = { position: Number(head.readBigUInt64LE(0)), length: Number(head.readBigUInt64LE(8)), at };
        if (endOf(record) > size) break;
        records.push(record);
        at = endOf(record) + HEAD_BYTES;
      }
    } finally {
      closeSync(log);
    }
    return records;
  }

  /** Brings the image of what is flushed up to the last flush among the next records. */
  #follow(records: readonly Write[]): void {
    const log = openSync(this.#log, 'r');
    const flushed = openSync(this.onOuter('flushed.image'), 'r+');
    try {
      for (const record of records) {
        this.#read = endOf(record);
        if (record.length > 0) {
          this.#unflushed.push(record);
          this.figures.writes += 1;
          continue;
        }
        for (const write of this.#unflushed) writeSync(flushed, bytesOf(log, write), 0, write.length, write.position);
        this.#unflushed = [];
        this.figures.flushes += 1;
      }
    } finally {
      closeSync(log);
      closeSync(flushed);
    }
    const needed = this.#unflushed[0]?.at ?? this.#read;
    spawnSync('fallocate', ['--punch-hole', '--offset', '0', '--length', String(needed), this.#log]);
  }

  #keepSome(copy: string): void {
    const keeps = this.#keeper();
    const log = openSync(this.#log, 'r');
    const to = openSync(copy, 'r+');
    try {
      for (const [index, write] of this.#unflushed.entries()) {
        const bytes = bytesOf(log, write);
        // Runs of sectors that are kept.
        for (let start = 0; start < write.length;) {
          const isKept = keeps(index, start);
          let stop = start + SECTOR;
          while (stop < write.length && keeps(index, stop) === isKept) stop += SECTOR;
          stop = Math.min(stop, write.length);
          if (isKept) writeSync(to, bytes, start, stop - start, write.position + start);
          else this.figures['sectors lost'] += Math.ceil((stop - start) / SECTOR);
          start = stop;
        }
      }
    } finally {
      closeSync(log);
      closeSync(to);
    }
  }

  /** Whether a sector is kept, by its write and its place there; asked for each at least once, in order. */
  #keeper(): (index: number, start: number) => boolean {
    const random = this.#random;
    const writes = this.#unflushed;
    const probability = random.fraction();
    switch (random.below(5)) {
      case 0: return () => false;
      // In order up to somewhere, the last one torn.
      case 1: {
        const last = random.below(writes.length + 1);
        const torn = random.below((writes[last]?.length ?? 0) + 1);
        return (index, start) => index < last || (index === last && start < torn);
      }
      // All but one.
      case 2: {
        const lost = random.below(writes.length + 1);
        return (index) => index !== lost;
      }
      case 3: {
        const kept = writes.map(() => random.chance(probability));
        return (index) => kept[index]!;
      }
      default: {
        const kept = writes.map(({ length }) => Array.from({ length: Math.ceil(length / SECTOR) }, () => random.chance(probability)));
        return (index, start) => kept[index]![start / SECTOR]!;
      }
    }
  }
}

/** In the log. */
function endOf({ at, length }: Write): number {
  return at + length;
}

function bytesOf(log: number, { at, length }: Write): Buffer {
  const bytes = Buffer.alloc(length);
  readSync(log, bytes, 0, length, at);
  return bytes;
}

function recorder(): string {
  const found = spawnSync('pkg-config', ['--cflags', '--libs', 'fuse3'], { encoding: 'utf8' });
  if (found.status !== 0) throw new NoSmallDisk('libfuse is not installed (apt-get install -y libfuse3-dev fuse3)');
  return compiled('record-image', { flags: found.stdout.trim().split(/\s+/) });
}
