// `node scripts/build.mjs`: builds the addon, and in a checkout the TypeScript too. --addon builds the addon only,
// --typescript the TypeScript only.
// --installed is how npm calls it after an installation: a checkout is left to `npm start` and `npm test`.
import { buildAddon, forgetBrokenAddon } from './build/addon.mjs';
import { withBuildLock } from './build/lock.mjs';
import { isCheckout } from './build/paths.mjs';
import { checkPlatform } from './build/platform.mjs';
import { prepare } from './build/prepare.mjs';
import { fail, say } from './build/report.mjs';

try {
  const isInstalling = process.argv.includes('--installed');
  if (!process.argv.includes('--typescript')) await forgetBrokenAddon();
  if (!isInstalling && !process.argv.includes('--addon')) {
    await prepare({ addon: !process.argv.includes('--typescript') });
    say('everything is built');
  } else if (!isInstalling || !isCheckout) {
    checkPlatform();
    await withBuildLock(buildAddon);
    say('the addon is built');
  }
} catch (error) {
  fail(error);
}
