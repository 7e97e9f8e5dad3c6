// From measurements to the rows of the table: one for each figure of each thing measured, Sluice beside every peer and beside the bare limit.
import { type Client, type FigureKey, figureKeys, FIGURES, type Measurement, type Mode, type Side } from '../suite/measurement.js';
import { median, type Ratio, timesBetter, valuesOf } from './statistics.js';

export interface Cell {
  readonly value: number;
  /** How many times better Sluice is; left out where there is nothing to compare with. */
  readonly better: Ratio | undefined;
}

export interface Row {
  readonly workload: string;
  readonly name: string;
  readonly client: Client | undefined;
  readonly mode: Mode | undefined;
  readonly settings: string;
  readonly figure: FigureKey;
  readonly sluice: number;
  readonly peers: ReadonlyMap<string, Cell>;
  readonly bare: number;
  /** Sluice in per cent of the limit: 100 is as good as the bare work. */
  readonly percentOfBare: number;
}

interface Group {
  readonly sample: Measurement;
  readonly all: Measurement[];
}

const BROKERS: Partial<Record<Side, string>> = { kafka: 'Kafka', rocketmq: 'RocketMQ' };

/** A peer's name in the table; a broker's synced mode is a column of its own. */
export function columnOf(each: { readonly side: Side; readonly mode?: Mode | undefined }): string {
  const name = BROKERS[each.side] ?? each.side;
  return each.mode === 'fsync' && each.side in BROKERS ? `${name}, synced` : name;
}

export function rowsOf(measurements: readonly Measurement[]): Row[] {
  const groups = new Map<string, Group>();
  for (const each of measurements) {
    const key = [each.workload, each.name, each.client, each.settings].join('\0');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { sample: each, all: [each] });
    else group.all.push(each);
  }
  return [...groups.values()].flatMap(({ sample, all }) => modesOf(all).flatMap((mode) => rowsOfGroup(sample, all, mode)));
}

/** The modes that Sluice was measured in, or, where it was left out, all that are there. */
function modesOf(all: readonly Measurement[]): (Mode | undefined)[] {
  const of = (list: readonly Measurement[]) => [...new Set(list.map((each) => each.mode))];
  const sluice = of(all.filter((each) => each.side === 'sluice'));
  return sluice.length > 0 ? sluice : of(all);
}

function rowsOfGroup(sample: Measurement, all: readonly Measurement[], mode: Mode | undefined): Row[] {
  const sluice = all.filter((each) => each.side === 'sluice' && each.mode === mode);
  const bare = all.filter((each) => each.side === 'bare' && each.mode === mode);
  const others = new Map<string, Measurement[]>();
  for (const each of all) {
    if (each.side === 'sluice' || each.side === 'bare') continue;
    // Without syncs Sluice is compared with who does not sync either; durable it has to beat a broker in both modes.
    const isComparable = each.mode === mode || (mode === 'fsync' && each.side in BROKERS);
    if (!isComparable) continue;
    const column = columnOf(each);
    others.set(column, [...(others.get(column) ?? []), each]);
  }
  return figureKeys.flatMap((figure): Row[] => {
    const value = median(valuesOf(sluice, figure));
    const peers = new Map<string, Cell>();
    for (const [column, theirs] of others) {
      const values = valuesOf(theirs, figure);
      if (values.length > 0) peers.set(column, { value: median(values), better: timesBetter(sluice, theirs, figure) });
    }
    const limit = median(valuesOf(bare, figure));
    if (Number.isNaN(value) && peers.size === 0 && Number.isNaN(limit)) return [];
    const { isBetter } = FIGURES[figure];
    const percentOfBare = isBetter === 'neither' ? NaN : 100 * (isBetter === 'more' ? value / limit : limit / value);
    return [
      {
        workload: sample.workload, name: sample.name, client: sample.client, mode, settings: sample.settings ?? '', figure,
        sluice: value, peers, bare: limit, percentOfBare,
      },
    ];
  });
}
