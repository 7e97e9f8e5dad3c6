// Lets time pass for a coordinator. A session must not end because this process was busy: what has come in by then is
// handled first, and after a hold-up timers fire only up to the moment at which it began.
import { type GroupCoordinator } from './coordinator.js';
import { type Clock, type CoordinatorConfig } from './ports.js';

/** Timers of Node are never exact. */
const USUAL_LAG_MS = 20;
const LONGEST_SLEEP_MS = 60_000;

export interface TickerOptions {
  readonly coordinator: GroupCoordinator;
  readonly clock: Clock;
  readonly config: CoordinatorConfig;
  /** When the oldest of the requests came that have not been handed in yet, by the wall clock; null: there is none. */
  readonly oldestWaitingMs?: () => number | null;
}

export class Ticker {
  readonly #options: TickerOptions;
  #wakeAtMs = Infinity;
  #timer: NodeJS.Timeout | undefined;
  #nextExpiryMs: number;
  #isExpiring = false;
  #isStopped = false;

  constructor(options: TickerOptions) {
    this.#options = options;
    this.#nextExpiryMs = options.clock.monotonicMs() + options.config.offsetsRetentionCheckIntervalMs;
    this.wakeAt(this.#nextExpiryMs);
  }

  /** For the coordinator's `onDeadline`. */
  wakeAt(deadlineMs: number): void {
    if (this.#isStopped || deadlineMs >= this.#wakeAtMs) return;
    clearTimeout(this.#timer);
    const nowMs = this.#options.clock.monotonicMs();
    const sleepMs = Math.min(Math.max(deadlineMs - nowMs, 1), LONGEST_SLEEP_MS);
    this.#wakeAtMs = nowMs + sleepMs;
    this.#timer = setTimeout(() => this.#wake(), sleepMs).unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #wake(): void {
    const dueSinceMs = this.#wakeAtMs;
    // The turn in which timers run ends with what has come in.
    setImmediate(() => this.#advance(dueSinceMs));
  }

  #advance(dueSinceMs: number): void {
    if (this.#isStopped) return;
    const { coordinator, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const isLate = nowMs - dueSinceMs > USUAL_LAG_MS;
    coordinator.advanceTo(Math.min(isLate ? dueSinceMs : nowMs, this.#waitingSinceMs(nowMs)));
    if (nowMs >= this.#nextExpiryMs) this.#expire(nowMs);
    this.#wakeAtMs = Infinity;
    this.wakeAt(Math.min(coordinator.nextDeadlineMs ?? Infinity, this.#nextExpiryMs));
  }

  /** In monotonic time. */
  #waitingSinceMs(nowMs: number): number {
    const { clock, oldestWaitingMs } = this.#options;
    const oldestMs = oldestWaitingMs?.() ?? null;
    return oldestMs === null ? nowMs : nowMs - Math.max(clock.wallMs() - oldestMs, 0);
  }

  #expire(nowMs: number): void {
    this.#nextExpiryMs = nowMs + this.#options.config.offsetsRetentionCheckIntervalMs;
    if (this.#isExpiring) return;
    this.#isExpiring = true;
    const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));
    void this.#options.coordinator.expireOffsets(turn).finally(() => (this.#isExpiring = false));
  }
}
