// Scripts that are modules for others and programs of their own.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail } from './report.mjs';

/** Runs `main` with the arguments where the module of that URL is the program, and tells of what it could not do. */
export async function runAsProgram(url, main) {
  if (process.argv[1] === undefined || resolve(process.argv[1]) !== fileURLToPath(url)) return;
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    fail(error);
  }
}
