import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Apache Kafka's versions, as `scripts/kafka/fetch.mjs` gets them: the broker and client jars, and the tools. */
export const KAFKA_VERSION = '4.4.0';
export const KAFKA_TOOLS_VERSION = '4.3.1';

/** The checkout, found from wherever the compiled tests lie. */
export const repositoryRoot = findRepositoryRoot(dirname(fileURLToPath(import.meta.url)));

export const kafkaCacheDirectory = process.env['SLUICE_KAFKA_CACHE'] ?? join(repositoryRoot, '.cache', 'kafka');

export function kafkaLibs(set: 'broker' | 'tools'): string {
  const name = set === 'broker' ? KAFKA_VERSION : `tools-${KAFKA_TOOLS_VERSION}`;
  return join(kafkaCacheDirectory, name, 'libs');
}

function findRepositoryRoot(from: string): string {
  for (let at = from; at !== dirname(at); at = dirname(at)) {
    const file = join(at, 'package.json');
    if (existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === 'sluice') return at;
  }
  throw new Error(`no package.json of sluice above ${from}`);
}
