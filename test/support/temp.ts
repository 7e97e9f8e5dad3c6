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

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') return reject(new Error('no port'));
      server.close(() => resolve(address.port));
    });
  });
}
