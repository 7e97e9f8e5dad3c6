// Lets time pass for a coordinator. A session must not end because this process, or the thread that reads sockets, was busy. So before anything
// fires, what has come in is fetched and handled; and after a hold-up those who are late because of it have as long again.
import { type GroupCoordinator } from './coordinator.js';
import { type Clock, type CoordinatorConfig } from './ports.js';

/** Timers of Node are never exact, and neither is the way to another thread and back. */
const USUAL_LAG_MS = 20;
const LONGEST_GRACE_MS = 30_000;
const LONGEST_SLEEP_MS = 60_000;

export interface TickerOptions {
  readonly coordinator: GroupCoordinator;
  readonly clock: Clock;
  readonly config: CoordinatorConfig;
  /** Resolves when every request that had reached this machine before has been handed over. */
  readonly caughtUp?: () => Promise<void>;
  /** When the oldest of the requests came that have not been handed in yet, by the wall clock; null: there is none. */
  readonly oldestWaitingMs?: () => number | null;
}

export class Ticker {
  readonly #options: TickerOptions;
  #wakeAtMs = Infinity;
  #timer: NodeJS.Timeout | undefined;
  /** Until then time stands still for members, at the moment at which the hold-up began. */
  #graceUntilMs = -Infinity;
  #heldUpAtMs = 0;
  #isCatchingUp = false;
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
    if (this.#isStopped || this.#isCatchingUp || deadlineMs >= this.#wakeAtMs) return;
    clearTimeout(this.#timer);
    const nowMs = this.#options.clock.monotonicMs();
    const sleepMs = Math.min(Math.max(deadlineMs - nowMs, 1), LONGEST_SLEEP_MS);
    this.#wakeAtMs = nowMs + sleepMs;
    this.#timer = setTimeout(() => void this.#wake(), sleepMs).unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #wake(): Promise<void> {
    this.#isCatchingUp = true;
    const dueSinceMs = this.#wakeAtMs;
    const wokenMs = this.#options.clock.monotonicMs();
    try {
      await this.#options.caughtUp?.();
    } catch {
      // There is no data plane (yet, or any more), so nothing can have come by it.
    }
    // What has been handed over is handled in the rest of this turn.
    setImmediate(() => this.#advance(dueSinceMs, wokenMs));
  }

  /** Everything that came before `wokenMs` is here. */
  #advance(dueSinceMs: number, wokenMs: number): void {
    this.#isCatchingUp = false;
    if (this.#isStopped) return;
    const { coordinator, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const lagMs = nowMs - dueSinceMs;
    if (lagMs > USUAL_LAG_MS) {
      if (nowMs >= this.#graceUntilMs) this.#heldUpAtMs = dueSinceMs;
      this.#graceUntilMs = nowMs + Math.min(lagMs, LONGEST_GRACE_MS);
    }
    const isGrace = nowMs < this.#graceUntilMs;
    coordinator.advanceTo(Math.min(wokenMs, this.#waitingSinceMs(nowMs), isGrace ? this.#heldUpAtMs : Infinity));
    if (nowMs >= this.#nextExpiryMs) this.#expire(nowMs);
    this.#wakeAtMs = Infinity;
    const nextMs = Math.min(coordinator.nextDeadlineMs ?? Infinity, this.#nextExpiryMs);
    this.wakeAt(isGrace ? Math.max(nextMs, this.#graceUntilMs) : nextMs);
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
