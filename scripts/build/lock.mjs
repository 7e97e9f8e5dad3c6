// Locks between processes. A lock is a name in the kernel (an abstract socket), so it is gone with its holder, however that ended.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from './paths.mjs';
import { say } from './report.mjs';

const LOOK_AGAIN_MS = 100;

/** Runs `work` while no other process holds the lock of that name; `onWait` is called once where it has to wait for one. */
export async function withLock(name, work, onWait = () => {}) {
  // Of any length: the kernel takes at most 107 bytes.
  const address = `\0sluice-${createHash('sha256').update(name).digest('hex')}`;
  let lock = await tryToTake(address);
  if (!lock) onWait();
  while (!lock) {
    await delay(LOOK_AGAIN_MS);
    lock = await tryToTake(address);
  }
  try {
    return await work();
  } finally {
    lock.close();
  }
}

/** Two builds of one checkout at the same time would write the same files; the second waits. */
export function withBuildLock(work) {
  return withLock(`build:${root}`, work, () => say('another build of this checkout is running; waiting for it'));
}

async function tryToTake(address) {
  const server = createServer();
  server.listen(address);
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if (error.code === 'EADDRINUSE') return undefined;
    throw error;
  }
}
