// A broker inside another Node program: for tests, and for small deployments that want one process.
import { type ResolvedConfig, resolveBrokerConfig } from '../config/broker-config.js';
import { ConfigError } from '../config/config-error.js';
import { type Logger } from '../kafka/services.js';
import { type RunningBroker, startBroker } from './broker.js';
import { BrokerStartError } from './errors.js';

export interface InProcessOptions {
  /** Kafka's and Sluice's settings by name, as a server.properties would have them. Absent: one listener on 127.0.0.1:9092, data in ./data. */
  readonly properties?: Readonly<Record<string, string | number | boolean>>;
  /** Where log lines go. Absent: warnings and errors to stderr. */
  readonly log?: Logger;
}

const quietLog: Logger = {
  info() {},
  warn: (line) => void process.stderr.write(`sluice: ${line}\n`),
  error: (line) => void process.stderr.write(`sluice: ${line}\n`),
};

function invalid(message: string, cause?: unknown): BrokerStartError {
  return new BrokerStartError('configuration-invalid', message, cause);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function resolve(options: InProcessOptions): { readonly log: Logger; readonly resolved: ResolvedConfig } {
  if (!isObject(options)) throw invalid('startBroker takes { properties?, log? }');
  const unknown = Object.keys(options).find((name) => name !== 'properties' && name !== 'log');
  if (unknown !== undefined) throw invalid(`startBroker knows no option '${unknown}'; known are properties, log`);
  const { properties = {}, log = quietLog } = options;
  if (!isObject(properties)) throw invalid("properties must be an object of settings, as { 'num.partitions': 3 }");
  if (!isObject(log) || !(['info', 'warn', 'error'] as const).every((name) => typeof log[name] === 'function')) throw invalid('log must have the methods info, warn and error');
  const texts = Object.entries(properties).map(([name, value]) => {
    if (!['string', 'number', 'boolean'].includes(typeof value)) throw invalid(`${name} must be a string, a number or a boolean, not ${String(value)}`);
    return [name, String(value)] as const;
  });
  try {
    return { log, resolved: resolveBrokerConfig(new Map(texts), { fileGiven: false }) };
  } catch (error) {
    throw error instanceof ConfigError ? invalid(error.message, error) : error;
  }
}

/**
 * Starts a broker in this process; resolves when clients can be served. A listener with port 0 is given one, see `ready.listeners`. Rejects with a
 * BrokerStartError. Until it is closed the broker keeps the process alive.
 */
export async function startBrokerInProcess(options: InProcessOptions = {}): Promise<RunningBroker> {
  const { log, resolved } = resolve(options);
  for (const warning of resolved.warnings) log.warn(warning);
  return startBroker({ config: resolved.config, log });
}
