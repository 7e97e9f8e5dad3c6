// Two builds of one checkout at the same time would write the same files; the second waits. The lock is a name in the kernel
// (an abstract socket), so it is gone with its holder, however that ended.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from './paths.mjs';
import { say } from './report.mjs';

const LOOK_AGAIN_MS = 200;

export async function withBuildLock(work) {
  const name = `\0sluice-build:${root}`.slice(0, 100);
  let lock = await tryToTake(name);
  if (!lock) say('another build of this checkout is running; waiting for it');
  while (!lock) {
    await delay(LOOK_AGAIN_MS);
    lock = await tryToTake(name);
  }
  try {
    return await work();
  } finally {
    lock.close();
  }
}

async function tryToTake(name) {
  const server = createServer();
  server.listen(name);
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if (error.code === 'EADDRINUSE') return undefined;
    throw error;
  }
}
