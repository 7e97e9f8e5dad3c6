// Which partition of __consumer_offsets holds a group: every client and every broker must come to the same answer.
import { javaStringHash } from '../util/java-hash.js';

const SMALLEST = -0x80000000;

export function partitionOf(groupId: string, partitionCount: number): number {
  const hash = javaStringHash(groupId);
  // The smallest number has no positive counterpart in 32 bits; Kafka takes 0 for it.
  return (hash === SMALLEST ? 0 : Math.abs(hash)) % partitionCount;
}
