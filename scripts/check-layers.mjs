// `node scripts/check-layers.mjs [tree]`: layers, and the other rules of the house. Exit code 1 and one line per place where they are broken.
import { resolve } from 'node:path';
import { root } from './build/paths.mjs';
import { fail, say } from './build/report.mjs';
import { requireHouse } from './house/check.mjs';

try {
  requireHouse(process.argv[2] === undefined ? root : resolve(process.argv[2]));
  say('the layers hold');
} catch (error) {
  fail(error);
}
