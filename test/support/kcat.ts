// kcat, the command line client of librdkafka.
import { run, type RunOptions, type RunResult } from './process.js';

let version: Promise<string> | undefined;

/** Throws one clear line when kcat is not installed. */
export function requireKcat(): Promise<string> {
  version ??= run('kcat', ['-V']).then(
    (result) => /Version (\S+)/.exec(result.stdout)?.[1] ?? 'unknown',
    () => {
      throw new Error('kcat does not run. Install it first, on Debian: apt-get install -y kcat');
    },
  );
  return version;
}

export async function kcat(bootstrap: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  await requireKcat();
  return run('kcat', ['-b', bootstrap, ...args], options);
}
