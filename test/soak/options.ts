// What `npm run soak -- <name>` takes.
export interface SoakOptions {
  readonly seed: number;
  readonly minutes: number;
  /** Connections at once. */
  readonly clients: number;
  /** Crashes, or moments at which each kind of disk is cut. */
  readonly rounds: number;
  /** Only these. */
  readonly kind: string | undefined;
}
