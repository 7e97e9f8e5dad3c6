// First in, first out. Taking from the front does not move the rest, and what was taken is not kept for longer than as much again is waiting.

const LEAST_MOVED = 64;

export class Queue<T> {
  #items: T[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Places that it keeps, those of what was taken among them. */
  get places(): number {
    return this.#items.length;
  }

  get first(): T | undefined {
    return this.#items[this.#head];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined as T;
    // A queue that always has something in it never starts anew by itself.
    if (this.size === 0 || (this.#head >= LEAST_MOVED && this.#head > this.size)) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
