// A disk that stops for a while: the image of its file system lies on another one, which is frozen (FIFREEZE). Writes and flushes wait until it is thawed; nothing fails.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type DiskKind, NoSmallDisk, makeImage } from './disk-image.js';
import { Mounts } from './mounts.js';

const OUTER_MIB = 1024;

export class StallingDisk {
  readonly path: string;
  readonly #mounts: Mounts;
  readonly #outer: string;
  readonly #goOnAtExit = () => this.goOn();
  #isStalled = false;

  /** Throws NoSmallDisk. */
  constructor(kind: DiskKind) {
    this.#mounts = new Mounts(`stalling-${kind}`);
    this.path = join(this.#mounts.folder, 'mounted');
    this.#outer = join(this.#mounts.folder, 'outer');
    this.#mounts.orDispose(() => {
      if (spawnSync('fsfreeze', ['--version']).error !== undefined) throw new NoSmallDisk('fsfreeze is not installed (apt-get install -y util-linux)');
      const image = join(this.#mounts.folder, 'image');
      makeImage('ext4', image, OUTER_MIB);
      this.#mounts.mount(image, this.#outer);
      makeImage(kind, join(this.#outer, 'image'));
      this.#mounts.mount(join(this.#outer, 'image'), this.path);
    });
  }

  stall(): void {
    // Nobody can unmount, or reach any more, what is frozen.
    process.prependListener('exit', this.#goOnAtExit);
    this.#freeze('--freeze');
    this.#isStalled = true;
  }

  goOn(): void {
    if (!this.#isStalled) return;
    this.#isStalled = false;
    process.off('exit', this.#goOnAtExit);
    this.#freeze('--unfreeze');
  }

  dispose(): void {
    this.goOn();
    this.#mounts.dispose();
  }

  #freeze(how: '--freeze' | '--unfreeze'): void {
    const { status, stderr } = spawnSync('fsfreeze', [how, this.#outer], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`fsfreeze ${how}: ${stderr}`);
  }
}
