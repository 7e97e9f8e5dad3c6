import { StepError } from './report.mjs';

const MINIMUM_NODE_MAJOR = 20;
const ARCHITECTURES = ['x64', 'arm64'];

export function checkPlatform({ platform, arch, versions } = process) {
  if (platform !== 'linux' || !ARCHITECTURES.includes(arch)) {
    throw new StepError(`Sluice runs on Linux (${ARCHITECTURES.join(', ')}), and this is ${platform} ${arch}`, {
      remedy: 'use a Linux machine, for example with Debian 12',
    });
  }
  const major = Number.parseInt(versions.node, 10);
  if (major < MINIMUM_NODE_MAJOR) {
    throw new StepError(`Sluice needs Node ${MINIMUM_NODE_MAJOR} or newer, and this is Node ${versions.node}`, {
      remedy: `install Node ${MINIMUM_NODE_MAJOR} or newer and run the same command again`,
    });
  }
}
