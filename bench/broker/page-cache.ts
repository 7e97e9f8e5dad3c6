// Memory before and during a run: full where a run writes, so that no page is the machine's first; cold for what has to be read from the disk.
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, readSync, rmdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeTempDirectory, removeDirectory } from '../../test/support/temp.js';
import { type Effort } from '../suite/effort.js';

/** What stays free. Kernels that reclaim ahead of time would empty less again at once. */
const FREE_SHARE = 1 / 4;
/** Of a large machine; more is not gone through between two cases. */
const MOST_FILLED = 32e9;
const BLOCK_BYTES = 1 << 22;
const TMPFS = 0x01021994;

function memoryBytes(key: 'MemTotal' | 'MemFree'): number {
  const found = new RegExp(`^${key}: *(\\d+) kB$`, 'm').exec(readFileSync('/proc/meminfo', 'utf8'));
  if (found === null) throw new Error(`/proc/meminfo has no ${key}`);
  return Number(found[1]) * 1024;
}

/**
 * Memory as on a machine that has been up for a while: full of cached files that nobody needs. Where a virtual machine gives free memory back to its host,
 * pages that are free are dear to have again, several times what writing them costs, and a benchmark would measure that. The file has only holes: it is
 * read, which takes neither disk nor dirty pages.
 */
export class MemoryFiller {
  readonly #directory = makeTempDirectory('bench-memory');
  readonly #file: number;
  readonly #mostAtOnce: number;
  readonly #block = Buffer.alloc(BLOCK_BYTES);
  #position = 0;

  constructor(effort: Effort) {
    this.#file = openSync(join(this.#directory, 'holes'), 'w+');
    // In a file system that is memory itself holes are not cached.
    const size = statfsSync(this.#directory).type === TMPFS ? 0 : Math.min(memoryBytes('MemTotal'), MOST_FILLED);
    // Filling takes longer than a quick run has.
    this.#mostAtOnce = effort.isQuick ? 0 : Math.min(effort.bytes(MOST_FILLED), size);
    ftruncateSync(this.#file, size);
  }

  /** Goes on where it was: what the kernel has let go of since is what was read first. */
  fill(): void {
    const missing = Math.min(memoryBytes('MemFree') - memoryBytes('MemTotal') * FREE_SHARE, this.#mostAtOnce);
    for (let read = 0; read < missing; read += BLOCK_BYTES) {
      const got = readSync(this.#file, this.#block, 0, BLOCK_BYTES, this.#position);
      this.#position = got < BLOCK_BYTES ? 0 : this.#position + got;
    }
  }

  dispose(): void {
    closeSync(this.#file);
    removeDirectory(this.#directory);
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
