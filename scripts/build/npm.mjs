// node_modules as package-lock.json wants it.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { step } from './run.mjs';
import { contentStampOf, StampFile } from './stamp.mjs';

const stampFile = new StampFile('node_modules/.sluice-stamp');

export async function installNpmPackages() {
  const stamp = contentStampOf(['package-lock.json'], wanted());
  if (existsSync(join(root, 'node_modules')) && stampFile.is(stamp)) return false;
  stampFile.clear();
  // Nothing here depends on install scripts: npm 11 runs only those that were allowed, and the addon is built by the next step.
  await step('installing npm packages', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: root,
    remedy: "look at npm's message above; with the network back, run the same command again",
  });
  stampFile.write(stamp);
  return true;
}

/** What package.json asks for; the rest of it may change without a new installation. */
function wanted() {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return [dependencies, devDependencies, optionalDependencies];
}
