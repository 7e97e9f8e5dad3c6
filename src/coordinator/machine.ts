// What the parts of the state machine share: the moment, the way to answer and to write, the timers. The machine does
// nothing by itself: what it wants done it leaves as effects.
import { type Group, type Task } from './group.js';
import { type Ticket } from './member.js';
import { type CoordinatorConfig, type Instant, type Logger, type RecordBytes } from './ports.js';
import {
  type CommitResponse, type DeletedGroup, type DeleteOffsetsResponse, type FetchOffsetsResponse, type HeartbeatResponse,
  type JoinResponse, type LeaveResponse, type SyncResponse,
} from './requests.js';
import { type Timer } from './timer-queue.js';

export type Response =
  | JoinResponse | SyncResponse | HeartbeatResponse | LeaveResponse | CommitResponse | FetchOffsetsResponse
  | DeleteOffsetsResponse | readonly DeletedGroup[];

export type Effect =
  | { readonly kind: 'reply'; readonly ticket: Ticket; readonly response: Response }
  /** To be told to the machine again, by its id, when it is durable or has failed. */
  | { readonly kind: 'append'; readonly write: number; readonly records: readonly RecordBytes[] };

/** Records on their way into the log. */
export class Write {
  readonly id: number;
  readonly #waiting: ((code: number) => void)[] = [];

  constructor(id: number) {
    this.id = id;
  }

  /** Called once, with 0 when the records are durable, else with what members are told. */
  onSettled(callback: (code: number) => void): void {
    this.#waiting.push(callback);
  }

  settle(code: number): void {
    for (const callback of this.#waiting) callback(code);
  }
}

export interface Machine {
  readonly now: Instant;
  readonly config: CoordinatorConfig;
  readonly log: Logger;
  uuid(): string;
  reply(ticket: Ticket, response: Response): void;
  append(group: Group, records: readonly RecordBytes[]): Write;
  schedule(timer: Timer<Task>, afterMs: number): void;
  cancel(timer: Timer<Task>): void;
}
