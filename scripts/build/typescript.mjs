// dist/ from the TypeScript sources, the program in one file, and nothing that has no source any more.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundleProgram } from './bundle.mjs';
import { root } from './paths.mjs';
import { step } from './run.mjs';
import { filesBelow, StampFile, stampOf } from './stamp.mjs';

const stampFile = new StampFile('dist/.sluice-stamp');
const FOLDERS = ['src', 'test', 'bench', 'scripts'];

export function typescriptStamp() {
  const sources = FOLDERS.flatMap((folder) => filesBelow(folder, ['.ts']));
  return stampOf(['tsconfig.json', 'package-lock.json', ...sources]);
}

export function isTypescriptBuilt(stamp = typescriptStamp()) {
  return stampFile.is(stamp);
}

export async function buildTypescript() {
  const stamp = typescriptStamp();
  if (isTypescriptBuilt(stamp)) return false;
  stampFile.clear();
  removeOrphans();
  await step('compiling TypeScript', process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json'], {
    cwd: root,
    remedy: 'mend the errors above and run the same command again',
  });
  await bundleProgram();
  stampFile.write(stamp);
  return true;
}

/** A test whose source was removed must not go on passing. */
function removeOrphans() {
  for (const file of filesBelow('dist', ['.js', '.js.map', '.d.ts'])) {
    const source = file.slice('dist/'.length).replace(/(\.js|\.js\.map|\.d\.ts)$/, '.ts');
    if (!existsSync(join(root, source))) rmSync(join(root, file));
  }
}
