// From the command line to a configuration, with errors that say where the wrong value stands.
import { readFileSync } from 'node:fs';
import { type ResolvedConfig, resolveBrokerConfig } from '../config/broker-config.js';
import { ConfigError } from '../config/config-error.js';
import { PropertiesError, parseProperties } from '../config/properties.js';

export function configure(file: string | undefined, overrides: ReadonlyMap<string, string>): ResolvedConfig {
  const { properties, warnings } = file === undefined ? { properties: new Map<string, string>(), warnings: [] } : readProperties(file);
  for (const [name, value] of overrides) properties.set(name, value);
  try {
    const resolved = resolveBrokerConfig(properties, { fileGiven: file !== undefined });
    return { ...resolved, warnings: [...warnings, ...resolved.warnings] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const isOverride = error.setting !== undefined && overrides.has(error.setting);
    const place = isOverride ? '--override' : file;
    throw place === undefined ? error : new ConfigError(`${place}: ${error.message}`, error.setting);
  }
}

interface FileContent {
  readonly properties: Map<string, string>;
  readonly warnings: readonly string[];
}

/** As Java reads properties: one byte is one character of ISO-8859-1. */
function readProperties(file: string): FileContent {
  const bytes = readFile(file);
  // What stands behind the mark would be another setting than was meant, which may be the one that closes the broker.
  if (/^(\xef\xbb\xbf|\xff\xfe|\xfe\xff)/.test(bytes.subarray(0, 3).toString('latin1'))) {
    throw new ConfigError(`${file} begins with a byte order mark, which Kafka takes for a part of the first setting: save it as plain ASCII`);
  }
  try {
    const properties = parseProperties(bytes.toString('latin1'));
    const foreign = [...properties].filter(([name, value]) => /[^\0-\x7f]/.test(name + value)).map(([name]) => name);
    const warning = `${file} is read as Kafka does, in ISO-8859-1; if it is UTF-8, write other characters as \\uXXXX in: ${foreign.join(', ')}`;
    return { properties, warnings: foreign.length > 0 ? [warning] : [] };
  } catch (error) {
    if (error instanceof PropertiesError) throw new ConfigError(`${file} cannot be read: ${error.message}; write \\\\u for a backslash and a u`);
    throw error;
  }
}

function readFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a directory' : message;
    const isOverride = code === 'ENOENT' && file.includes('=');
    throw new ConfigError(`${file} cannot be read: ${why}; ` +
      (isOverride ? `to set a property, write: npm start -- --override ${file}` : 'name a server.properties, or none to start with defaults'));
  }
}
