// What a workload is given: a target to put load on, how much of it, with which clients, and where its figures go.
import { type Effort } from '../suite/effort.js';
import { type Client, type FigureKey, type Measurement, type Mode } from '../suite/measurement.js';
import { type BrokerTarget } from './broker-target.js';
import { type MemoryFiller } from './page-cache.js';
import { type Target } from './target.js';

export interface Reported extends Omit<Measurement, 'side' | 'turn' | 'workload' | 'figures'> {
  readonly figures: Partial<Record<FigureKey, number>>;
  /** The target's own when left out. */
  readonly side?: Measurement['side'];
}

export interface Stage {
  readonly target: Target;
  /** The target, where it is a broker and not the bare server. */
  readonly broker: BrokerTarget | undefined;
  readonly effort: Effort;
  readonly clients: ReadonlySet<Client>;
  readonly turn: number;
  /** To be filled before anything that writes much. */
  readonly memory: MemoryFiller;
  record(reported: Reported): void;
  /** One line of progress. */
  say(text: string): void;
}

export interface Workload {
  readonly id: string;
  readonly title: string;
  /** About how long one start of a broker spends on it in a full run; the sides' own share in starting included. */
  readonly seconds: number;
  readonly onBare: boolean;
  /** Gets a broker of its own, prepared but not started. */
  readonly isAlone?: true;
  /** Once a side is enough, as it takes long and repeats itself or varies little; `seconds` is then what two sides need. */
  readonly isOnce?: true;
  run(stage: Stage): Promise<void>;
}

/** What each side acknowledges unless it is told otherwise. */
export function usualMode({ side }: Target): Mode {
  return side === 'sluice' ? 'fsync' : 'os';
}

/** Where a client varies little from start to start, or is not what a goal is about, one turn a side is enough. */
export function isFirstTurn({ turn }: Stage): boolean {
  return turn % 2 === 0;
}

/** Both in the first turn; from then on what the side acknowledges unless it is told otherwise, which is what the goals are about. */
export function modesOfTurn(stage: Stage): readonly Mode[] {
  return stage.broker === undefined || isFirstTurn(stage) ? stage.target.modes : [usualMode(stage.target)];
}

/** Both on each start, but Kafka's with a sync for each request: it is as slow every time. */
export function modesOfPeer(stage: Stage): readonly Mode[] {
  return stage.target.side === 'kafka' ? modesOfTurn(stage) : stage.target.modes;
}

/** The modes worth measuring here, of those wanted. */
export function modesOf(stage: Stage, wanted: readonly Mode[] = ['os', 'fsync']): readonly Mode[] {
  return wanted.filter((mode) => stage.target.modes.includes(mode));
}
