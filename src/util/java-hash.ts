// What Java's strings and maps make visible to clients.

/** Java's String.hashCode. */
export function javaStringHash(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
}

const FIRST_CAPACITY = 16;
const LOAD_FACTOR = 0.75;

/** In the order in which a java.util.HashMap gives them, put in one after the other; `keyOf` gives each its own key. */
export function inHashMapOrder<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  let capacity = FIRST_CAPACITY;
  while (items.length > capacity * LOAD_FACTOR) capacity *= 2;
  const bucketOf = (item: T): number => {
    const hash = javaStringHash(keyOf(item));
    return (hash ^ (hash >>> 16)) & (capacity - 1);
  };
  return items.map((item) => ({ item, bucket: bucketOf(item) })).sort((a, b) => a.bucket - b.bucket).map(({ item }) => item);
}
