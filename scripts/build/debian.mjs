// The Debian packages that building and testing need: found with dpkg-query, installed with apt-get when we may.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run, step, tailOf } from './run.mjs';
import { say, StepError } from './report.mjs';

export const BUILD_PACKAGES = [
  'build-essential',
  'pkg-config',
  'python3',
  'liburing-dev',
  'liblz4-dev',
  'libzstd-dev',
  'libsnappy-dev',
  'zlib1g-dev',
];
export const CMAKE_PACKAGES = ['cmake', 'ninja-build'];
/** ccache, since addon, tests and sanitized tests compile much of the same, and the installed package all of it again. */
export const NATIVE_TEST_PACKAGES = [...BUILD_PACKAGES, ...CMAKE_PACKAGES, 'libgtest-dev', 'ccache'];
export const CLANG_PACKAGES = ['clang', 'libclang-rt-14-dev', 'llvm'];
/** What makes file systems in images and mounts them, which only root may. */
export const DISK_PACKAGES = ['e2fsprogs', 'xfsprogs', 'libfuse3-dev', 'fuse3'];
export const JAVA_PACKAGES = ['openjdk-17-jdk-headless', 'maven', 'unzip'];

/** Which of the packages are not installed; undefined where there is no dpkg to ask. */
export function missingPackages(packages) {
  const { status, stdout, error } = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...packages], {
    encoding: 'utf8',
  });
  if (error || status === null || status > 1) return undefined;
  const installed = new Set(
    stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.slice(0, line.indexOf(' '))),
  );
  return packages.filter((name) => !installed.has(name));
}

/** Debian installs sudo only where root has no password of its own. */
export function installLine(packages) {
  const [update, install] = ['apt-get update', `apt-get install -y ${packages.join(' ')}`];
  if (process.getuid() === 0) return `${update} && ${install}`;
  const hasSudo = (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'sudo')));
  return hasSudo ? `sudo ${update} && sudo ${install}` : `su -c '${update} && ${install}'`;
}

/** Makes sure that the packages are there, or throws with the one line to run. */
export async function requirePackages(packages, purpose) {
  const missing = missingPackages(packages);
  if (missing === undefined) {
    say(`this is not a Debian system, so ${purpose} relies on what is installed (on Debian: ${packages.join(' ')})`);
    return;
  }
  if (missing.length === 0) return;
  if (process.getuid() !== 0) {
    throw new StepError(`${purpose} needs Debian packages that are not installed: ${missing.join(', ')}`, {
      remedy: `run: ${installLine(missing)}`,
    });
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const apt = ['-y', '-q', '-o', 'DPkg::Lock::Timeout=300'];
  const remedy = `if the package lists cannot be fetched, look at the network and /etc/apt, then run: ${installLine(missing)}`;
  const { code, output } = await run('apt-get', ['update', ...apt], { env });
  // An out of date list may still do; whether it does is for the installation to say.
  if (code !== 0) say(`apt-get update failed, going on with the lists that are here:\n${tailOf(output, 5)}`);
  await step(`installing ${missing.join(' ')}`, 'apt-get', ['install', ...apt, '--no-install-recommends', ...missing], {
    env,
    remedy,
  });
}
