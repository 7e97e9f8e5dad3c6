import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Binding } from './binding.js';

/** The addon is not there, or cannot be loaded. The message is one line and names the command that builds it. */
export class AddonError extends Error {
  readonly code = 'ERR_SLUICE_ADDON';
  constructor(what: string, root: string, options?: ErrorOptions) {
    super(`${what}; run: node ${join(root, 'scripts/build.mjs')}`, options);
    this.name = 'AddonError';
  }
}

const require = createRequire(import.meta.url);
let loaded: Binding | undefined;

/** The package's root: the nearest folder above this file with a package.json. */
function packageRoot(): string {
  let dir = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(dir, 'package.json'))) {
    const up = dirname(dir);
    if (up === dir) throw new Error('sluice: package.json not found above ' + fileURLToPath(import.meta.url));
    dir = up;
  }
  return dir;
}

/** The addon, loaded once. Throws an error that names the one command to run where it has not been built. */
export function loadBinding(): Binding {
  if (loaded) return loaded;
  const root = packageRoot();
  const candidates = [process.env['SLUICE_ADDON'], join(root, 'build/Release/sluice.node'), join(root, 'build/addon/sluice.node')];
  const path = candidates.find((candidate) => candidate !== undefined && candidate !== '' && existsSync(candidate));
  if (path === undefined) {
    throw new AddonError("Sluice's native addon is not built", root);
  }
  try {
    loaded = require(path) as Binding;
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, ' ');
    throw new AddonError(`Sluice's native addon cannot be loaded (${why})`, root, { cause: error });
  }
  return loaded;
}
