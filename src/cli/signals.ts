// SIGTERM, SIGINT and SIGHUP stop cleanly; a second SIGINT stops at once.

/** npm hands the SIGINT of a terminal on, though the terminal sent it to us as well: one key, two signals. */
const ECHO_MS = 500;

export interface StopSignalOptions {
  readonly process: Pick<NodeJS.Process, 'on' | 'removeAllListeners' | 'kill' | 'pid' | 'env'>;
  readonly now: () => number;
  readonly onSecondInterrupt: () => void;
}

/** Resolves with the first signal. From then on a second SIGINT ends the process. */
export function stopSignal(options: StopSignalOptions): Promise<NodeJS.Signals> {
  const { process, now } = options;
  const runsUnderNpm = process.env['npm_lifecycle_event'] !== undefined;
  let firstAt: number | undefined;
  return new Promise((resolve) => {
    const onSignal = (signal: NodeJS.Signals): void => {
      if (firstAt === undefined) {
        firstAt = now();
        resolve(signal);
        return;
      }
      if (signal !== 'SIGINT' || (runsUnderNpm && now() - firstAt < ECHO_MS)) return;
      options.onSecondInterrupt();
      // Without a handler it does what it always does, and nothing waits for anything.
      process.removeAllListeners('SIGINT');
      process.kill(process.pid, 'SIGINT');
    };
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal);
  });
}
