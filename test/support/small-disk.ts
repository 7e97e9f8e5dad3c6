// A real file system of a few hundred megabytes, in a file that is mounted: for tests that fill it.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeTempDirectory, removeDirectory } from './temp.js';

const MIB = 1 << 20;

/** How each kind is made; XFS has a least size of 300 MiB. */
const kinds = {
  ext4: { mib: 256, make: ['mkfs.ext4', '-q', '-F', '-m', '0'], package: 'e2fsprogs' },
  xfs: { mib: 320, make: ['mkfs.xfs', '-q', '-f'], package: 'xfsprogs' },
} as const;

export type DiskKind = keyof typeof kinds;

/** The reason why such a disk cannot be had here. */
export class NoSmallDisk extends Error {}

/** A file system in a new file. Throws NoSmallDisk. */
export function makeImage(kind: DiskKind, image: string, mib: number, options: readonly string[] = []): void {
  const { make: [program, ...args], package: name } = kinds[kind];
  closeSync(openSync(image, 'w'));
  truncateSync(image, mib * MIB);
  const made = spawnSync(program, [...args, ...options, image], { encoding: 'utf8' });
  if (made.error !== undefined) throw new NoSmallDisk(`${program} is not installed (apt-get install -y ${name})`);
  if (made.status !== 0) throw new NoSmallDisk(`${program}: ${made.stderr}`);
}

/** Mounts it on a folder, which is made. Throws NoSmallDisk. */
export function mountImage(image: string, path: string, options = 'loop'): void {
  mkdirSync(path, { recursive: true });
  const mounted = spawnSync('mount', ['-o', options, image, path], { encoding: 'utf8' });
  if (mounted.status !== 0) throw new NoSmallDisk(`no loop device can be mounted here: ${mounted.stderr}`);
}

/** Now, or when nobody uses it any more. */
export function unmount(path: string): void {
  if (spawnSync('umount', [path]).status !== 0) spawnSync('umount', ['-l', path]);
}

export class SmallDisk {
  readonly path: string;
  readonly #folder: string;
  #isMounted = true;
  readonly #unmountAtExit = () => this.dispose();

  private constructor(folder: string, path: string) {
    this.#folder = folder;
    this.path = path;
    process.on('exit', this.#unmountAtExit);
  }

  static mount(kind: DiskKind): SmallDisk {
    if (process.getuid?.() !== 0) throw new NoSmallDisk('mounting a small disk needs root');
    const folder = makeTempDirectory(kind);
    const image = join(folder, 'image');
    const path = join(folder, 'mounted');
    try {
      makeImage(kind, image, kinds[kind].mib);
      mountImage(image, path);
    } catch (error) {
      removeDirectory(folder);
      throw error;
    }
    return new SmallDisk(folder, path);
  }

  /** As somebody else would: writes until nothing more fits, to the last block. */
  fill(): void {
    for (const size of [MIB, 4096]) {
      const block = Buffer.alloc(size, 1);
      try {
        const file = openSync(join(this.path, `filler-${size}`), 'a');
        try {
          for (;;) writeSync(file, block);
        } finally {
          closeSync(file);
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  }

  /** Takes away what fill() has written. */
  clear(): void {
    for (const name of readdirSync(this.path)) if (name.startsWith('filler-')) rmSync(join(this.path, name));
  }

  dispose(): void {
    if (!this.#isMounted) return;
    this.#isMounted = false;
    process.off('exit', this.#unmountAtExit);
    unmount(this.path);
    rmSync(join(this.#folder, 'image'), { force: true });
    removeDirectory(this.#folder);
  }
}
