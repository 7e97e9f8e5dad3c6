// The command line of the suite.
import { parseArgs } from 'node:util';
import { type Client } from './suite/measurement.js';

export const USAGE = `npm run bench -- [what ...] [options]
  what                   produce paced fetch e2e b1 b2 b3 b4 b5 b6 b7 b8 b9 b10, all of them when nothing is named; and compaction
  --peer kafka           beside which brokers: kafka, rocketmq (b8 only), none; several with commas
  --clients native,java  sluice-load, Kafka's own performance tools, kafkajs; a quick run has sluice-load only
  --minutes N            durations are scaled so that it takes about so long
  --quick                under three minutes: shows that it works, its numbers are rough and Kafka's JVM is cold; b2, b4, b7 and b9 only where named
  --rounds N             each round starts both sides fresh in the order A B B A; default 1
  --out DIR              where results, plots and report go; default bench/results/local/<time>
  --data DIR             where brokers keep their data; it should be on the disk that is measured; default the system's temporary directory
  --sluice NAME=VALUE    a property of the broker, may be repeated; --kafka NAME=VALUE likewise
  --report DIR           draws table, plots and report of an earlier run again`;

export const NAMES = ['produce', 'paced', 'fetch', 'e2e', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7', 'b8', 'b9', 'b10', 'compaction'] as const;
export type Name = (typeof NAMES)[number];
/** What the suite has beside B1 to B10, and no goal needs. */
const ONLY_NAMED: readonly Name[] = ['compaction'];
/** What needs time to show anything, or is a variation of another. */
const NOT_QUICK: readonly Name[] = ['b2', 'b4', 'b7', 'b9'];
export const PEERS = ['kafka', 'rocketmq'] as const;
export type Peer = (typeof PEERS)[number];
const CLIENTS = ['native', 'java', 'kafkajs'] as const;

export interface Options {
  readonly chosen: readonly Name[];
  /** What the command line asks for by name. */
  readonly named: readonly Name[];
  readonly peers: readonly Peer[];
  readonly clients: ReadonlySet<Client>;
  readonly minutes: number | undefined;
  readonly isQuick: boolean;
  readonly rounds: number;
  readonly out: string | undefined;
  readonly data: string | undefined;
  readonly report: string | undefined;
  readonly properties: { readonly sluice: Readonly<Record<string, string>>; readonly kafka: Readonly<Record<string, string>> };
}

export class UsageError extends Error {}

function listOf<T extends string>(given: string, allowed: readonly T[], what: string): T[] {
  return given.split(',').map((each) => oneOf(each, allowed, what));
}

function oneOf<T extends string>(given: string, allowed: readonly T[], what: string): T {
  const found = allowed.find((each) => each === given.toLowerCase());
  if (found === undefined) throw new UsageError(`'${given}' is no ${what}; there are ${allowed.join(', ')}`);
  return found;
}

function positive(given: string | undefined, name: string): number | undefined {
  if (given === undefined) return undefined;
  const value = Number(given);
  if (!(value > 0)) throw new UsageError(`${name} is '${given}', not a number above 0`);
  return value;
}

function propertiesOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((each) => {
      const at = each.indexOf('=');
      if (at < 1) throw new UsageError(`'${each}' is not of the form name=value`);
      return [each.slice(0, at), each.slice(at + 1)];
    }),
  );
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        peer: { type: 'string', default: 'kafka' },
        clients: { type: 'string' },
        minutes: { type: 'string' },
        quick: { type: 'boolean', default: false },
        rounds: { type: 'string', default: '1' },
        out: { type: 'string' },
        data: { type: 'string' },
        report: { type: 'string' },
        sluice: { type: 'string', multiple: true, default: [] },
        kafka: { type: 'string', multiple: true, default: [] },
      },
    });
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

export function parseOptions(argv: readonly string[]): Options {
  const { values, positionals } = parse(argv);
  const named = positionals.map((each) => oneOf(each, NAMES, 'workload'));
  return {
    named,
    chosen: NAMES.filter((each) => (named.length > 0 ? named.includes(each) : !ONLY_NAMED.includes(each) && !(values.quick && NOT_QUICK.includes(each)))),
    peers: values.peer === 'none' ? [] : listOf(values.peer, PEERS, 'peer'),
    clients: new Set(listOf(values.clients ?? (values.quick ? 'native' : 'native,java'), CLIENTS, 'client')),
    minutes: positive(values.minutes, '--minutes'),
    isQuick: values.quick,
    rounds: Math.ceil(positive(values.rounds, '--rounds') ?? 1),
    out: values.out,
    data: values.data,
    report: values.report,
    properties: { sluice: propertiesOf(values.sluice), kafka: propertiesOf(values.kafka) },
  };
}
