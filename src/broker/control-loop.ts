// Requests that the data plane hands up, answered in turns of bounded length so that timers and new mail get theirs.
// A turn comes behind the callback that brought the requests, so that what completed with them is gone on with first: an answer that waited for an append does
// not wait for new requests too. Then heartbeats: a member must not be lost because a thousand metadata requests came before its sign of life.
import { type ControlRequest } from '../native/binding.js';
import { type IncomingRequest, type Outcome } from '../kafka/dispatch.js';
import { type Logger } from '../kafka/services.js';
import { Queue } from '../util/queue.js';

const HEARTBEAT = 12;
/** JoinGroup and SyncGroup may wait for other members as long as a rebalance lasts. */
const WAIT_FOR_OTHERS: ReadonlySet<number> = new Set([11, 14]);
/** How long one turn may take before other work of the event loop gets a chance. */
const TURN_MS = 5;

export interface ControlLoopOptions {
  dispatch(request: IncomingRequest): Promise<Outcome>;
  respond(token: number, response: Buffer): void;
  /** The request only waits for others to come: it must not keep them away. */
  parked(token: number): void;
  /** Ends the connection that the request came by, with a line in the log. */
  close(token: number, reason: string): void;
  readonly log: Logger;
  /** Requests wait until resume(). */
  readonly isPaused?: boolean;
  /** Milliseconds on a clock that never goes back. */
  readonly elapsed?: () => number;
  readonly schedule?: (turn: () => void) => void;
}

export class ControlLoop {
  readonly #options: ControlLoopOptions;
  readonly #elapsed: () => number;
  readonly #schedule: (turn: () => void) => void;
  readonly #heartbeats = new Queue<ControlRequest>();
  readonly #others = new Queue<ControlRequest>();
  #isScheduled = false;
  #isPaused: boolean;
  #isStopped = false;
  #inFlight = 0;
  #idle: (() => void)[] = [];

  constructor(options: ControlLoopOptions) {
    this.#options = options;
    this.#elapsed = options.elapsed ?? (() => performance.now());
    this.#schedule = options.schedule ?? ((turn) => setImmediate(turn));
    this.#isPaused = options.isPaused ?? false;
  }

  resume(): void {
    this.#isPaused = false;
    this.#scheduleTurn();
  }

  /** Takes no more requests: the broker goes, and clients will find another or come again. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Requests in the order of their arrival. */
  take(requests: readonly ControlRequest[]): void {
    if (this.#isStopped) {
      for (const { token } of requests) this.#options.close(token, 'the broker stops');
      return;
    }
    for (const request of requests) (request.apiKey === HEARTBEAT ? this.#heartbeats : this.#others).push(request);
    this.#scheduleTurn();
  }

  /** Requests that wait or are being worked on. */
  get pending(): number {
    return this.#inFlight + this.#heartbeats.size + this.#others.size;
  }

  /** When the oldest of the requests came that have to wait for their turn, by the wall clock; null: none has. */
  get oldestReceivedMs(): number | null {
    const received = [this.#heartbeats.first, this.#others.first].flatMap((request) => request?.receivedMs ?? []);
    return received.length === 0 ? null : Math.min(...received);
  }

  /** Resolves when nothing is pending. */
  idle(): Promise<void> {
    if (this.pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #turn(): void {
    this.#isScheduled = false;
    const end = this.#elapsed() + TURN_MS;
    for (;;) {
      const request = this.#heartbeats.shift() ?? this.#others.shift();
      if (request === undefined) return;
      void this.#answer(request);
      if (this.#elapsed() >= end) break;
    }
    this.#scheduleTurn();
  }

  #scheduleTurn(): void {
    if (this.#isScheduled || this.#isPaused || this.#heartbeats.size + this.#others.size === 0) return;
    this.#isScheduled = true;
    this.#schedule(() => this.#turn());
  }

  async #answer(request: ControlRequest): Promise<void> {
    this.#inFlight += 1;
    let isAnswered = false;
    if (WAIT_FOR_OTHERS.has(request.apiKey)) {
      this.#schedule(() => {
        if (!isAnswered) this.#options.parked(request.token);
      });
    }
    try {
      const outcome = await this.#options.dispatch(request).finally(() => (isAnswered = true));
      if (outcome.kind === 'respond') {
        this.#options.respond(request.token, outcome.response);
      } else {
        this.#options.close(request.token, outcome.reason);
      }
    } catch (error) {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#options.log.error(`a request of ${request.peer} (key ${request.apiKey}) went wrong: ${detail}`);
      this.#options.close(request.token, 'internal error');
    } finally {
      this.#inFlight -= 1;
      if (this.pending === 0) for (const resolve of this.#idle.splice(0)) resolve();
    }
  }
}
