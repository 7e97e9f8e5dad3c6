// What `npm run soak -- <name>` takes.
export interface SoakOptions {
  readonly seed: number;
  readonly minutes: number;
  /** Connections at once. */
  readonly clients: number;
  /** Crashes, or snapshots of each kind of disk. */
  readonly rounds: number;
  /** Only these. */
  readonly kind: string | undefined;
}
