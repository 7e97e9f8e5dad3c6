// From the command line to a configuration, with errors that say where the wrong value stands.
import { readFileSync } from 'node:fs';
import { type ResolvedConfig, resolveBrokerConfig } from '../config/broker-config.js';
import { ConfigError } from '../config/config-error.js';
import { parseProperties } from '../config/properties.js';

export function configure(file: string | undefined, overrides: ReadonlyMap<string, string>): ResolvedConfig {
  const properties = file === undefined ? new Map<string, string>() : parseProperties(readFile(file));
  for (const [name, value] of overrides) properties.set(name, value);
  try {
    return resolveBrokerConfig(properties, { fileGiven: file !== undefined });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const isOverride = error.setting !== undefined && overrides.has(error.setting);
    const place = isOverride ? '--override' : file;
    throw place === undefined ? error : new ConfigError(`${place}: ${error.message}`, error.setting);
  }
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a directory' : message;
    throw new ConfigError(`${file} cannot be read: ${why}; name a server.properties, or none to start with defaults`);
  }
}
