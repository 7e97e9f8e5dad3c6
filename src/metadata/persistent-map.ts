// An immutable map with structural sharing: a change copies one small bucket, not the whole. With ten thousand topics a
// change of one copies some hundred references, and two versions are compared by the buckets that they do not share.

const LOAD = 16;

type Bucket<V> = ReadonlyMap<string, V>;

const EMPTY_BUCKET: Bucket<never> = new Map<string, never>();

function hash(key: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) value = Math.imul(value ^ key.charCodeAt(i), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}

export interface Change<V> {
  readonly key: string;
  readonly before: V | undefined;
  readonly after: V | undefined;
}

export class PersistentMap<V> {
  readonly size: number;
  readonly #buckets: readonly Bucket<V>[];

  private constructor(buckets: readonly Bucket<V>[], size: number) {
    this.#buckets = buckets;
    this.size = size;
  }

  static empty<V>(): PersistentMap<V> {
    return new PersistentMap<V>([EMPTY_BUCKET], 0);
  }

  get(key: string): V | undefined {
    return this.#buckets[hash(key) & (this.#buckets.length - 1)]!.get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  *keys(): Generator<string> {
    for (const bucket of this.#buckets) yield* bucket.keys();
  }

  *values(): Generator<V> {
    for (const bucket of this.#buckets) yield* bucket.values();
  }

  *entries(): Generator<[string, V]> {
    for (const bucket of this.#buckets) yield* bucket.entries();
  }

  edit(): PersistentMapEdit<V> {
    return new PersistentMapEdit<V>(this.#buckets, this.size, (buckets, size) => new PersistentMap(buckets, size));
  }

  /** What leads from this map to `next`, in no particular order. */
  *changesTo(next: PersistentMap<V>): Generator<Change<V>> {
    if (next === this) return;
    const sameShape = next.#buckets.length === this.#buckets.length;
    for (const [index, bucket] of this.#buckets.entries()) {
      if (sameShape && next.#buckets[index] === bucket) continue;
      for (const [key, before] of bucket) {
        const after = next.get(key);
        if (after !== before) yield { key, before, after };
      }
    }
    for (const [index, bucket] of next.#buckets.entries()) {
      if (sameShape && this.#buckets[index] === bucket) continue;
      for (const [key, after] of bucket) if (!this.has(key)) yield { key, before: undefined, after };
    }
  }
}

/** Collects changes; each bucket is copied at most once, however many changes there are. */
export class PersistentMapEdit<V> {
  readonly #finish: (buckets: readonly Bucket<V>[], size: number) => PersistentMap<V>;
  #buckets: Bucket<V>[];
  #owned: Set<Bucket<V>>;
  #size: number;

  constructor(
    buckets: readonly Bucket<V>[],
    size: number,
    finish: (buckets: readonly Bucket<V>[], size: number) => PersistentMap<V>,
  ) {
    this.#finish = finish;
    this.#buckets = [...buckets];
    this.#owned = new Set();
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    return this.#buckets[hash(key) & (this.#buckets.length - 1)]!.get(key);
  }

  set(key: string, value: V): void {
    if (value === undefined) throw new TypeError('undefined cannot be kept');
    const bucket = this.#own(key);
    if (!bucket.has(key)) this.#size += 1;
    bucket.set(key, value);
    if (this.#size > this.#buckets.length * LOAD) this.#grow();
  }

  delete(key: string): boolean {
    if (this.get(key) === undefined) return false;
    this.#own(key).delete(key);
    this.#size -= 1;
    return true;
  }

  done(): PersistentMap<V> {
    // What has been handed out is shared from now on.
    this.#owned = new Set();
    return this.#finish([...this.#buckets], this.#size);
  }

  #own(key: string): Map<string, V> {
    const index = hash(key) & (this.#buckets.length - 1);
    const bucket = this.#buckets[index]!;
    if (this.#owned.has(bucket)) return bucket as Map<string, V>;
    const copy = new Map(bucket);
    this.#owned.add(copy);
    this.#buckets[index] = copy;
    return copy;
  }

  #grow(): void {
    const larger = Array.from({ length: this.#buckets.length * 4 }, () => new Map<string, V>());
    for (const bucket of this.#buckets) {
      for (const [key, value] of bucket) larger[hash(key) & (larger.length - 1)]!.set(key, value);
    }
    this.#buckets = larger;
    this.#owned = new Set(larger);
  }
}
