// Which partition of __consumer_offsets holds a group: every client and every broker must come to the same answer.

/** Java's String.hashCode. */
export function javaStringHash(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
}

const SMALLEST = -0x80000000;

export function partitionOf(groupId: string, partitionCount: number): number {
  const hash = javaStringHash(groupId);
  // The smallest number has no positive counterpart in 32 bits; Kafka takes 0 for it.
  return (hash === SMALLEST ? 0 : Math.abs(hash)) % partitionCount;
}
