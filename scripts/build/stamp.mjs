// A stamp is a hash over what a step reads, kept beside what it made: while it is the same, the step has nothing to do.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './paths.mjs';

/** The files below a folder of the package (paths from the root, sorted) whose names end as wanted. */
export function filesBelow(folder, endings) {
  let entries;
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return filesBelow(path, endings);
    return endings.some((ending) => entry.name.endsWith(ending)) ? [path] : [];
  });
}

/** By name, size and time of change: quick, and an edit always shows. */
export function stampOf(files, ...facts) {
  const hash = createHash('sha256').update(JSON.stringify(facts));
  for (const file of files) {
    const stat = statSync(join(root, file), { throwIfNoEntry: false });
    hash.update(`${file}\0${stat?.size}\0${stat?.mtimeMs}\n`);
  }
  return hash.digest('hex');
}

export function contentStampOf(files, ...facts) {
  const hash = createHash('sha256').update(JSON.stringify(facts));
  for (const file of files) hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

/** Where a step's stamp lies, and whether it is the one wanted. */
export class StampFile {
  #path;

  constructor(path) {
    this.#path = join(root, path);
  }

  is(stamp) {
    try {
      return readFileSync(this.#path, 'utf8') === stamp;
    } catch {
      return false;
    }
  }

  /** Before the step, so that one that breaks off half way is done again. */
  clear() {
    rmSync(this.#path, { force: true });
  }

  write(stamp) {
    mkdirSync(dirname(this.#path), { recursive: true });
    writeFileSync(this.#path, stamp);
  }
}
