// A file system in an image that lies on another file system with reflinks, so that one call of the kernel copies the image as it is at a moment: what a
// disk has when the power goes and everything that it had confirmed, flushed or not, has reached the platter. Needs root, for three mounts.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type DiskKind, NoSmallDisk, makeImage, mountImage, unmount } from './small-disk.js';
import { makeTempDirectory, removeDirectory } from './temp.js';

const OUTER_MIB = 6144;
const INNER_MIB = 1536;

/** A copy of XFS has the identity of its original, which is mounted too. */
const mountOptions = { ext4: 'loop', xfs: 'loop,nouuid' } as const;

export class ReflinkDisk {
  /** Where the file system is mounted. */
  readonly path: string;
  readonly #kind: DiskKind;
  readonly #folder: string;
  /** Innermost last. */
  readonly #mounts: string[] = [];
  readonly #disposeAtExit = () => this.dispose();
  #snapshots = 0;
  #isThere = true;

  private constructor(kind: DiskKind, folder: string) {
    this.#kind = kind;
    this.#folder = folder;
    this.path = join(folder, 'inner');
    // Before the temporary directory that it is mounted in is removed.
    process.prependListener('exit', this.#disposeAtExit);
  }

  static mount(kind: DiskKind): ReflinkDisk {
    if (process.getuid?.() !== 0) throw new NoSmallDisk('mounting a disk needs root');
    const folder = makeTempDirectory('reflink');
    const disk = new ReflinkDisk(kind, folder);
    try {
      const outer = join(folder, 'outer.image');
      makeImage('xfs', outer, OUTER_MIB, ['-m', 'reflink=1']);
      disk.#mount(outer, join(folder, 'outer'), 'loop');
      const inner = disk.#image('inner');
      makeImage(kind, inner, INNER_MIB);
      disk.#mount(inner, disk.path, 'loop');
    } catch (error) {
      disk.dispose();
      throw error;
    }
    return disk;
  }

  /** The disk as it is now, mounted; `use` may write to it, and nothing of it is left afterwards. */
  async snapshot<T>(use: (path: string) => Promise<T>): Promise<T> {
    this.#snapshots += 1;
    const name = `snapshot-${this.#snapshots}`;
    const image = this.#image(name);
    const copied = spawnSync('cp', ['--reflink=always', this.#image('inner'), image], { encoding: 'utf8' });
    if (copied.status !== 0) throw new NoSmallDisk(`cp --reflink=always: ${copied.stderr}`);
    const path = join(this.#folder, name);
    try {
      this.#mount(image, path, mountOptions[this.#kind]);
      return await use(path);
    } finally {
      this.#unmount(path);
      rmSync(image, { force: true });
    }
  }

  dispose(): void {
    if (!this.#isThere) return;
    this.#isThere = false;
    process.off('exit', this.#disposeAtExit);
    for (const path of [...this.#mounts].reverse()) this.#unmount(path);
    removeDirectory(this.#folder);
  }

  #image(name: string): string {
    return join(this.#folder, 'outer', `${name}.image`);
  }

  #mount(image: string, path: string, options: string): void {
    mountImage(image, path, options);
    this.#mounts.push(path);
  }

  #unmount(path: string): void {
    const at = this.#mounts.indexOf(path);
    if (at < 0) return;
    this.#mounts.splice(at, 1);
    unmount(path);
  }
}
