#!/usr/bin/env node
// The command: a broker from a configuration, until a signal stops it; or the check of a data directory.
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ReadyReport, type RunningBroker, BrokerStartError, startBroker } from '../broker/broker.js';
import { packageVersion } from '../broker/version.js';
import { AddonError } from '../native/load.js';
import { ConfigError } from '../config/config-error.js';
import { listenerText } from '../config/listeners.js';
import { type Logger, lineLogger, printable } from '../util/logger.js';
import { USAGE, UsageError, parseCommandLine } from './arguments.js';
import { configure } from './configuration.js';
import { stopSignal } from './signals.js';
import { NotVerified, verify } from './verify.js';

/** Runs the command to its end; the process ends with it. */
export async function main(args: readonly string[]): Promise<void> {
  // Whoever reads our log may leave; the broker stays.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  try {
    process.exit(await run(args));
  } catch (error) {
    process.stderr.write(`sluice: ${explain(error)}\n`);
    process.exit(error instanceof NotVerified ? 2 : 1);
  }
}

/** The exit code. */
async function run(args: readonly string[]): Promise<number> {
  const command = parseCommandLine(args);
  switch (command.kind) {
    case 'help':
      process.stdout.write(USAGE);
      return 0;
    case 'version':
      process.stdout.write(`sluice ${packageVersion()}\n`);
      return 0;
    case 'verify':
      return verify(command, (text) => new Promise((written) => process.stdout.write(text, () => written())));
    case 'run':
      await serve(command.file, command.overrides);
      return 0;
  }
}

async function serve(file: string | undefined, overrides: ReadonlyMap<string, string>): Promise<void> {
  const log = lineLogger({ out: process.stdout, err: process.stderr });
  const { config, warnings } = configure(file, overrides);
  for (const warning of warnings) log.warn(warning);
  const stop = stopSignal({ process, now: Date.now, onSecondInterrupt: () => log.warn('stopping at once; the next start recovers from the journal') });
  let isReady = false;
  void stop.then((signal) => {
    if (!isReady) log.info(`${signal}: stops when it has started, so that what is being recovered is not left half done; SIGINT stops at once`);
  });
  const broker = await startBroker({ config, log });
  isReady = true;
  log.info(readyLine(broker.ready));
  // Neither the engine nor the handler of a signal keeps Node from ending.
  const alive = setInterval(() => {}, 2 ** 30);
  const signal = await stop;
  clearInterval(alive);
  await close(broker, log, signal);
}

/** The broker stops, and not cleanly: what is durable stays so. */
class StopError extends Error {}

async function close(broker: RunningBroker, log: Logger, signal: NodeJS.Signals): Promise<void> {
  log.info(`${signal}: stopping`);
  const startedAt = performance.now();
  try {
    await broker.close();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StopError(`not stopped cleanly, the next start recovers from the journal: ${why}`, { cause: error });
  }
  log.info(`stopped cleanly, ${Math.round(performance.now() - startedAt)} ms`);
}

export function readyLine(ready: ReadyReport): string {
  const { reactors, topics } = ready;
  return [
    `sluice ${ready.version} is ready: ${ready.listeners.map(listenerText).join(', ')}`,
    `data in ${ready.dataDir}`,
    `durability ${ready.durability}`,
    `driver ${ready.ioDriver}`,
    `${reactors} ${reactors === 1 ? 'reactor' : 'reactors'}`,
    `${topics} ${topics === 1 ? 'topic' : 'topics'}`,
    `${ready.startupMs} ms`,
  ].join(', ');
}

/** One line for what a user can mend, everything for what is our fault. */
function explain(error: unknown): string {
  const isForUsers = error instanceof ConfigError || error instanceof UsageError || error instanceof StopError || error instanceof NotVerified || error instanceof AddonError || (error instanceof BrokerStartError && error.code !== 'internal');
  if (error instanceof Error && isForUsers) return printable(error.message);
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

const program = process.argv[1];
if (program !== undefined && realpathSync(program) === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
