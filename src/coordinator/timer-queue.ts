// Deadlines in order: a binary heap in which each timer knows its place, so that moving and cancelling one costs a
// logarithm and a queue never holds more entries than there are timers.

export class Timer<T> {
  task: T;
  deadlineMs = 0;
  /** Where it stands in the heap, -1 when it is not set. */
  place = -1;
  /** Among equal deadlines the one that was set first comes first. */
  order = 0;

  constructor(task: T) {
    this.task = task;
  }

  get isSet(): boolean {
    return this.place !== -1;
  }
}

function isBefore(a: Timer<unknown>, b: Timer<unknown>): boolean {
  return a.deadlineMs < b.deadlineMs || (a.deadlineMs === b.deadlineMs && a.order < b.order);
}

export class TimerQueue<T> {
  readonly #heap: Timer<T>[] = [];
  #lastOrder = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** Null: no timer is set. */
  get nextDeadlineMs(): number | null {
    return this.#heap[0]?.deadlineMs ?? null;
  }

  /** Sets a timer, or moves it when it is set. */
  schedule(timer: Timer<T>, deadlineMs: number): void {
    timer.deadlineMs = deadlineMs;
    timer.order = ++this.#lastOrder;
    if (!timer.isSet) {
      timer.place = this.#heap.length;
      this.#heap.push(timer);
    }
    this.#rise(timer);
    this.#sink(timer);
  }

  cancel(timer: Timer<T>): void {
    if (!timer.isSet) return;
    const { place } = timer;
    timer.place = -1;
    const last = this.#heap.pop() as Timer<T>;
    if (last === timer) return;
    this.#put(last, place);
    this.#rise(last);
    this.#sink(last);
  }

  /** The order of the timer that was set last. */
  get lastOrder(): number {
    return this.#lastOrder;
  }

  /** Takes out the earliest timer if it is due, and was not set after the one with that order. */
  takeDue(nowMs: number, lastOrder = this.#lastOrder): Timer<T> | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.deadlineMs > nowMs || first.order > lastOrder) return undefined;
    this.cancel(first);
    return first;
  }

  #put(timer: Timer<T>, place: number): void {
    this.#heap[place] = timer;
    timer.place = place;
  }

  #rise(timer: Timer<T>): void {
    let place = timer.place;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#heap[above] as Timer<T>;
      if (!isBefore(timer, parent)) break;
      this.#put(parent, place);
      place = above;
    }
    this.#put(timer, place);
  }

  #sink(timer: Timer<T>): void {
    let place = timer.place;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= this.#heap.length) break;
      const right = this.#heap[below + 1];
      if (right !== undefined && isBefore(right, this.#heap[below] as Timer<T>)) below += 1;
      const child = this.#heap[below] as Timer<T>;
      if (!isBefore(child, timer)) break;
      this.#put(child, place);
      place = below;
    }
    this.#put(timer, place);
  }
}
