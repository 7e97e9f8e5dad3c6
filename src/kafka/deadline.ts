// The time that a client gives the controller for a change.
import { KafkaError } from '../metadata/kafka-error.js';

/** Longer than any timer of Node's can be set. */
const FOREVER_MS = 2 ** 31 - 1;

/** Throws where a client leaves no time. */
export function requireTime(timeoutMs: number): void {
  if (timeoutMs <= 0) throw new KafkaError('REQUEST_TIMED_OUT');
}

/**
 * Carries a change out, unless the client leaves no time for it. A change that takes longer is answered with an error and is made all the same: what is
 * being written cannot be called back.
 */
export async function withinTimeout<T>(timeoutMs: number, change: () => Promise<T>): Promise<T> {
  requireTime(timeoutMs);
  if (timeoutMs >= FOREVER_MS) return change();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new KafkaError('REQUEST_TIMED_OUT')), timeoutMs).unref();
  });
  try {
    return await Promise.race([change(), late]);
  } finally {
    clearTimeout(timer);
  }
}
