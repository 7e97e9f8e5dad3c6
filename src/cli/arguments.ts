// The command line, in the syntax of Kafka's start script: [server.properties] [--override property=value]...

export type CommandLine =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'run'; readonly file: string | undefined; readonly overrides: ReadonlyMap<string, string> };

/** The command line is not understood. The message is one line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const USAGE = `usage: npm start -- [server.properties] [--override property=value]...

  server.properties             a configuration file of Apache Kafka, which works as it is
  --override property=value     sets one property, whatever the file says; may stand more than once
  --version                     prints the version
  --help                        prints this

Without a file: one listener on 127.0.0.1:9092, data in ./data, and nothing else to start.
All settings: docs/settings.md
`;

export function parseCommandLine(args: readonly string[]): CommandLine {
  const overrides = new Map<string, string>();
  let file: string | undefined;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    if (arg === '--help' || arg === '-h') return { kind: 'help' };
    if (arg === '--version') return { kind: 'version' };
    if (arg === '--override' || arg.startsWith('--override=')) {
      const pair = arg === '--override' ? args[++i] : arg.slice('--override='.length);
      const [name, value] = splitOverride(pair);
      overrides.set(name, value);
    } else if (arg.startsWith('-')) {
      throw new UsageError(`${arg} is not an option; there are --override property=value, --version and --help`);
    } else if (file === undefined) {
      file = arg;
    } else {
      throw new UsageError(`there are two files, ${file} and ${arg}; name one, and use --override property=value for what differs`);
    }
  }
  return { kind: 'run', file, overrides };
}

function splitOverride(pair: string | undefined): [string, string] {
  const at = pair?.indexOf('=') ?? -1;
  const name = pair?.slice(0, at).trim() ?? '';
  if (pair === undefined || at < 1 || name === '') {
    throw new UsageError(`--override ${pair ?? ''} is not of the form --override property=value`.replace('  ', ' '));
  }
  return [name, pair.slice(at + 1).trim()];
}
