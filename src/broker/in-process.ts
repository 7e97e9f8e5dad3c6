// A broker inside another Node program: for tests, and for small deployments that want one process.
import { resolveBrokerConfig } from '../config/broker-config.js';
import { type Logger } from '../kafka/services.js';
import { type RunningBroker, startBroker } from './broker.js';

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

/** Starts a broker in this process; resolves when clients can be served. A listener with port 0 is given one, see `ready.listeners`. */
export function startBrokerInProcess(options: InProcessOptions = {}): Promise<RunningBroker> {
  const log = options.log ?? quietLog;
  const properties = new Map(Object.entries(options.properties ?? {}).map(([name, value]) => [name, String(value)]));
  const { config, warnings } = resolveBrokerConfig(properties, { fileGiven: false });
  for (const warning of warnings) log.warn(warning);
  return startBroker({ config, log });
}
