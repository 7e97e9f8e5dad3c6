// The page cache before and during a run: warm for what will be written, cold for what has to be read from the disk.
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmdirSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const MOST_WARMED = 5e9;

/** Writes and deletes that many bytes, so that a run does not measure the machine's first touch of cold memory. */
export function warmPageCache(directory: string, bytes: number): void {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'warm-up');
  const block = Buffer.alloc(1 << 22, 1);
  const file = openSync(path, 'w');
  try {
    for (let written = 0; written < Math.min(bytes, MOST_WARMED); written += block.length) writeSync(file, block);
  } finally {
    closeSync(file);
    unlinkSync(path);
  }
}

/** Waits until the disk has what was written before, so that one run's write-back is not paid by the next. */
export function settleDisk(directory: string): void {
  const { status, stderr } = spawnSync('sync', ['--file-system', directory], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`sync --file-system ${directory}: ${stderr}`);
}

const CGROUP_ROOT = '/sys/fs/cgroup/memory';

/** A memory cgroup (version 1) for one process, so that what it reads from now on cannot all stay cached. */
export class MemoryLimit {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Undefined where this machine does not let us. */
  static tryToPut(pid: number, bytes: number): MemoryLimit | undefined {
    if (!existsSync(CGROUP_ROOT)) return undefined;
    const path = join(CGROUP_ROOT, `sluice-bench-${pid}`);
    try {
      mkdirSync(path);
      writeFileSync(join(path, 'memory.limit_in_bytes'), String(bytes));
      writeFileSync(join(path, 'cgroup.procs'), String(pid));
      return new MemoryLimit(path);
    } catch {
      return undefined;
    }
  }

  /** Its processes go back to where everybody is. */
  release(): void {
    for (const pid of readFileSync(join(this.#path, 'cgroup.procs'), 'utf8').split('\n').filter((line) => line !== '')) {
      try {
        writeFileSync(join(CGROUP_ROOT, 'cgroup.procs'), pid);
      } catch {
        // It has ended in the meantime.
      }
    }
    rmdirSync(this.#path);
  }
}
