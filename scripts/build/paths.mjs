import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's root: a checkout, or the installed package. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** A checkout has sources to compile; an installed package brings them compiled. */
export const isCheckout = existsSync(join(root, 'tsconfig.json'));
