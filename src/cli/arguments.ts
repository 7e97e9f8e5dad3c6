// The command line: Kafka's start script's, [server.properties] [--override property=value]..., or verify DIR.

export type CommandLine =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'verify'; readonly directory: string; readonly topic: string | undefined; readonly isJson: boolean }
  | { readonly kind: 'run'; readonly file: string | undefined; readonly overrides: ReadonlyMap<string, string> };

/** The command line is not understood. The message is one line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const USAGE = `usage: npm start -- [server.properties] [--override property=value]...
       npm start -- verify DIRECTORY [--topic TOPIC] [--json]

  server.properties             a configuration file of Apache Kafka, which works as it is
  --override property=value     sets one property, whatever the file says; may stand more than once
  verify DIRECTORY              checks a data directory, Sluice's or Apache Kafka's, that no broker is running on, and changes nothing:
                                exit code 0 without damage, 1 with, 2 when it could not be checked
  --topic TOPIC                 only this topic's partitions
  --json                        the findings as one JSON object
  --version                     prints the version
  --help                        prints this

Without a file: one listener on 127.0.0.1:9092, data in ./data, and nothing else to start.
All settings: docs/settings.md
`;

export function parseCommandLine(args: readonly string[]): CommandLine {
  if (args[0] === 'verify') return parseVerify(args.slice(1));
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

function parseVerify(args: readonly string[]): CommandLine {
  let directory: string | undefined;
  let topic: string | undefined;
  let isJson = false;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    if (arg === '--help' || arg === '-h') return { kind: 'help' };
    if (arg === '--json') isJson = true;
    else if (arg === '--topic' || arg.startsWith('--topic=')) {
      topic = arg === '--topic' ? args[++i] : arg.slice('--topic='.length);
      if (topic === undefined || topic === '') throw new UsageError('--topic names no topic');
    } else if (arg.startsWith('-')) throw new UsageError(`${arg} is not an option of verify; there are --topic TOPIC and --json`);
    else if (directory === undefined) directory = arg;
    else throw new UsageError(`there are two directories, ${directory} and ${arg}; verify checks one`);
  }
  if (directory === undefined) throw new UsageError('verify needs a data directory: verify DIRECTORY [--topic TOPIC] [--json]');
  return { kind: 'verify', directory, topic, isJson };
}

function splitOverride(pair: string | undefined): [string, string] {
  const at = pair?.indexOf('=') ?? -1;
  const name = pair?.slice(0, at).trim() ?? '';
  if (pair === undefined || at < 1 || name === '') {
    throw new UsageError(`--override ${pair ?? ''} is not of the form --override property=value`.replace('  ', ' '));
  }
  return [name, pair.slice(at + 1).trim()];
}
