// A folder with mounts in it, which goes when the process ends, whatever becomes of the test. Needs root.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { type TestContext } from 'node:test';
import { NoSmallDisk } from './disk-image.js';
import { makeTempDirectory, removeDirectory } from './temp.js';

export class Mounts {
  readonly folder: string;
  /** Innermost last. */
  readonly #paths: string[] = [];
  readonly #disposeAtExit = () => this.dispose();
  #isThere = true;

  /** Throws NoSmallDisk. */
  constructor(purpose: string) {
    if (process.getuid?.() !== 0) throw new NoSmallDisk('mounting a disk needs root');
    this.folder = makeTempDirectory(purpose);
    // Before the temporary directory that they are mounted in is removed.
    process.prependListener('exit', this.#disposeAtExit);
  }

  /** Runs it, and if it fails takes away what was mounted until then. */
  orDispose(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Mounts an image on a folder, which is made. Throws NoSmallDisk. */
  mount(image: string, path: string, options = 'loop'): void {
    mkdirSync(path, { recursive: true });
    const { status, stderr } = spawnSync('mount', ['-o', options, image, path], { encoding: 'utf8' });
    if (status !== 0) throw new NoSmallDisk(`no loop device can be mounted here: ${stderr}`);
    this.mounted(path);
  }

  /** Something has been mounted there by other means. */
  mounted(path: string): void {
    this.#paths.push(path);
  }

  /** Now, or when nobody uses it any more. */
  unmount(path: string): void {
    const at = this.#paths.indexOf(path);
    if (at < 0) return;
    this.#paths.splice(at, 1);
    if (spawnSync('umount', [path]).status !== 0) spawnSync('umount', ['-l', path]);
  }

  dispose(): void {
    if (!this.#isThere) return;
    this.#isThere = false;
    process.off('exit', this.#disposeAtExit);
    for (const path of [...this.#paths].reverse()) this.unmount(path);
    removeDirectory(this.folder);
  }
}

/** A disk, or undefined where there can be none, and the test has been skipped with the reason. */
export function mountedOrSkipped<T>(context: TestContext, mount: () => T): T | undefined {
  try {
    return mount();
  } catch (error) {
    if (!(error instanceof NoSmallDisk)) throw error;
    context.skip(error.message);
    return undefined;
  }
}
