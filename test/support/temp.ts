import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where test data goes. Set SLUICE_TEST_TMP to a directory on a real disk when /tmp is in memory. */
const base = process.env['SLUICE_TEST_TMP'] ?? tmpdir();

export function makeTempDirectory(purpose: string): string {
  return mkdtempSync(join(base, `sluice-${purpose}-`));
}

export function removeDirectory(path: string): void {
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
