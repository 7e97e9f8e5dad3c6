// A real file system in an image, of which copies are taken while it is in use: what a power cut at that moment may leave.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type DiskKind, NoSmallDisk, makeImage } from './disk-image.js';
import { Mounts } from './mounts.js';

const OUTER_MIB = 6144;
const INNER_MIB = 1536;

/** A copy of XFS has the identity of its original, which is mounted too. */
const copyOptions = { ext4: 'loop', xfs: 'loop,nouuid' } as const;

/**
 * The image lies on another file system, an XFS with reflinks, so that one call of the kernel copies it as it is at a moment. Needs root, for the mounts.
 * What the copies are like is for those that extend it.
 */
export abstract class SnapshotDisk {
  /** Where the file system is mounted. */
  readonly path: string;
  /** What it has done so far, for reports. */
  abstract readonly figures: Readonly<Record<string, number>>;
  readonly #kind: DiskKind;
  protected readonly mounts: Mounts;
  #snapshots = 0;

  protected constructor(kind: DiskKind, purpose: string) {
    this.#kind = kind;
    this.mounts = new Mounts(purpose);
    this.path = join(this.mounts.folder, 'inner');
    this.mounts.orDispose(() => {
      const outer = join(this.mounts.folder, 'outer.image');
      makeImage('xfs', outer, OUTER_MIB, ['-m', 'reflink=1']);
      this.mounts.mount(outer, join(this.mounts.folder, 'outer'));
      makeImage(kind, this.onOuter('inner.image'), INNER_MIB);
    });
  }

  /** Disks of it that one moment gives, each mounted; `use` may write to them, and nothing of them is left afterwards. */
  abstract snapshot(use: (path: string) => Promise<void>): Promise<void>;

  dispose(): void {
    this.mounts.dispose();
  }

  protected onOuter(name: string): string {
    return join(this.mounts.folder, 'outer', name);
  }

  /** One call copies all of it. */
  protected copy(from: string, to: string): void {
    const { status, stderr } = spawnSync('cp', ['--reflink=always', from, to], { encoding: 'utf8' });
    if (status !== 0) throw new NoSmallDisk(`cp --reflink=always: ${stderr}`);
  }

  /** Copies the image, lets `change` have its way with the copy, mounts it and removes it after its use. */
  protected async useCopy(image: string, use: (path: string) => Promise<void>, change: (copy: string) => void = () => {}): Promise<void> {
    this.#snapshots += 1;
    const name = `snapshot-${this.#snapshots}`;
    const copy = this.onOuter(`${name}.image`);
    const path = join(this.mounts.folder, name);
    this.copy(image, copy);
    try {
      change(copy);
      this.mounts.mount(copy, path, copyOptions[this.#kind]);
      await use(path);
    } finally {
      this.mounts.unmount(path);
      rmSync(copy, { force: true });
    }
  }
}
