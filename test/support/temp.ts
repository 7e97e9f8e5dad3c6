import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where test data goes. Set SLUICE_TEST_TMP to a directory on a real disk when /tmp is in memory. */
const base = process.env['SLUICE_TEST_TMP'] ?? tmpdir();

const made = new Set<string>();
// A run that is cut short leaves nothing behind either. SLUICE_KEEP=1 keeps what is there then, to be looked at.
process.on('exit', () => {
  if (process.env['SLUICE_KEEP'] === '1') return;
  for (const path of made) rmSync(path, { recursive: true, force: true, maxRetries: 5 });
});

export function makeTempDirectory(purpose: string): string {
  const path = mkdtempSync(join(base, `sluice-${purpose}-`));
  made.add(path);
  return path;
}

export function removeDirectory(path: string): void {
  made.delete(path);
  rmSync(path, { recursive: true, force: true, maxRetries: 5 });
}

/** Below those that the kernel gives to connections: a port of a broker that is down for a moment stays its own. */
const FIRST_PORT = 20_000;
const PORTS = 12_000;

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + randomInt(PORTS);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
