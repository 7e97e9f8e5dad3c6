// What a disk has when the power goes and everything that it had confirmed, flushed or not, has reached the platter.
import { type DiskKind } from './disk-image.js';
import { SnapshotDisk } from './snapshot-disk.js';

export class ReflinkDisk extends SnapshotDisk {
  readonly figures = { copies: 0 };

  /** Throws NoSmallDisk. */
  constructor(kind: DiskKind) {
    super(kind, 'reflink');
    this.mounts.orDispose(() => this.mounts.mount(this.onOuter('inner.image'), this.path));
  }

  snapshot(use: (path: string) => Promise<void>): Promise<void> {
    this.figures.copies += 1;
    return this.useCopy(this.onOuter('inner.image'), use);
  }
}
