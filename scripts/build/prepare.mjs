// Everything between a fresh clone and a broker that can be started. Does only what is not done yet.
import { buildAddon, isAddonBuilt } from './addon.mjs';
import { BUILD_PACKAGES, requirePackages } from './debian.mjs';
import { withBuildLock } from './lock.mjs';
import { installNpmPackages } from './npm.mjs';
import { isCheckout } from './paths.mjs';
import { checkPlatform } from './platform.mjs';
import { say } from './report.mjs';
import { buildTypescript, isTypescriptBuilt } from './typescript.mjs';

export async function prepare({ addon = true } = {}) {
  checkPlatform();
  const startedAt = performance.now();
  if (isAllBuilt(addon)) return;
  await withBuildLock(async () => {
    // The Debian packages first: when they lack, that is said before anything takes time.
    if (addon && !isAddonBuilt()) await requirePackages(BUILD_PACKAGES, 'building the addon');
    if (isCheckout) {
      await installNpmPackages();
      await checkHouse();
    }
    if (addon) await buildAddon();
    if (isCheckout) await buildTypescript();
  });
  say(`ready to run after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

function isAllBuilt(addon) {
  return (!isCheckout || isTypescriptBuilt()) && (!addon || isAddonBuilt());
}

async function checkHouse() {
  const { requireHouse } = await import('../house/check.mjs');
  requireHouse();
}
