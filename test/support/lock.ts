// One process at a time, of those that run test files beside each other: for what is made once into .cache.
import { createHash } from 'node:crypto';
import { type Server, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 100;

/** Held by an abstract socket, which the kernel takes back from whoever dies. */
export async function withLock<T>(name: string, body: () => Promise<T>): Promise<T> {
  const address = `\0sluice-test-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
  const take = () => new Promise<Server | undefined>((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(address, () => resolve(server));
  });
  let mine = await take();
  for (; mine === undefined; mine = await take()) await delay(PAUSE_MS);
  try {
    return await body();
  } finally {
    mine.close();
  }
}
