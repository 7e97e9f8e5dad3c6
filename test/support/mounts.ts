// A folder with mounts in it, which goes when the process ends, whatever becomes of the test.
import { makeTempDirectory, removeDirectory } from './temp.js';
import { mountImage, unmount } from './small-disk.js';

export class Mounts {
  readonly folder: string;
  /** Innermost last. */
  readonly #paths: string[] = [];
  readonly #disposeAtExit = () => this.dispose();
  #isThere = true;

  constructor(purpose: string) {
    this.folder = makeTempDirectory(purpose);
    // Before the temporary directory that they are mounted in is removed.
    process.prependListener('exit', this.#disposeAtExit);
  }

  /** Throws NoSmallDisk. */
  mount(image: string, path: string, options = 'loop'): void {
    mountImage(image, path, options);
    this.mounted(path);
  }

  /** Something has been mounted there by other means. */
  mounted(path: string): void {
    this.#paths.push(path);
  }

  unmount(path: string): void {
    const at = this.#paths.indexOf(path);
    if (at < 0) return;
    this.#paths.splice(at, 1);
    unmount(path);
  }

  dispose(): void {
    if (!this.#isThere) return;
    this.#isThere = false;
    process.off('exit', this.#disposeAtExit);
    for (const path of [...this.#paths].reverse()) this.unmount(path);
    removeDirectory(this.folder);
  }
}
