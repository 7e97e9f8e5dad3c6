// A real file system of a few hundred megabytes, in a file that is mounted: for tests that fill it.
import { closeSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type DiskKind, makeImage } from './disk-image.js';
import { Mounts } from './mounts.js';

const MIB = 1 << 20;

export class SmallDisk {
  readonly path: string;
  readonly #mounts: Mounts;

  /** Throws NoSmallDisk. */
  constructor(kind: DiskKind) {
    this.#mounts = new Mounts(kind);
    this.path = join(this.#mounts.folder, 'mounted');
    this.#mounts.orDispose(() => {
      const image = join(this.#mounts.folder, 'image');
      makeImage(kind, image);
      this.#mounts.mount(image, this.path);
    });
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
    this.#mounts.dispose();
  }
}
