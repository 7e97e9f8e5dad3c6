// One process at a time, of those that run test files beside each other: for what is made once into .cache.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { repositoryRoot } from './paths.js';

interface Locks {
  withLock<T>(name: string, work: () => Promise<T>): Promise<T>;
}

/** The one that builds use. */
export const { withLock } = (await import(pathToFileURL(join(repositoryRoot, 'scripts', 'build', 'lock.mjs')).href)) as Locks;
