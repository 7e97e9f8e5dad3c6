// The launcher that refuses io_uring by seccomp.
import { compiled } from './compiled.js';

/** The command to put before another, which then runs without io_uring. */
export function noIoUring(): string {
  return compiled('no-io-uring');
}
