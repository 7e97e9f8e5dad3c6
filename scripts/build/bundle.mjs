// dist/sluice.mjs: the broker's program as one file. Reading its two hundred modules one by one was a third of the time of a start.
import { join } from 'node:path';
import { root } from './paths.mjs';
import { StepError } from './report.mjs';

const PROGRAM = 'dist/sluice.mjs';

export async function bundleProgram() {
  const { build } = await import('esbuild');
  try {
    await build({
      absWorkingDir: root, entryPoints: [join(root, 'dist/src/cli/main.js')], outfile: join(root, PROGRAM),
      bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'silent',
    });
  } catch (error) {
    throw new StepError(`bundling ${PROGRAM} failed`, { tail: error.message, remedy: 'mend the errors above and run the same command again' });
  }
}
