// How much work a run does: everything that takes time is asked for in terms of a full run and scaled here, in one place.

export class Effort {
  /** 1 is the full suite. */
  readonly scale: number;
  readonly isQuick: boolean;

  constructor(scale: number, isQuick: boolean) {
    this.scale = scale;
    this.isQuick = isQuick;
  }

  /** A measured duration. Never so short that nothing would be measured. */
  seconds(full: number): number {
    return Math.round(Math.max(full * this.scale, Math.min(full, this.isQuick ? 0.6 : 1)) * 100) / 100;
  }

  /** A pass that is not counted. */
  warmSeconds(full: number): number {
    return Math.round(Math.max(full * this.scale, Math.min(full, this.isQuick ? 0.3 : 0.5)) * 100) / 100;
  }

  bytes(full: number): number {
    return Math.round(Math.max(full * this.scale, Math.min(full, 20e6)));
  }

  count(full: number): number {
    return Math.round(Math.max(full * this.scale, Math.min(full, 50)));
  }

  /** A series in full, or its ends and middle in a quick run. */
  some<T>(full: readonly T[], quick: readonly T[]): readonly T[] {
    return this.isQuick ? quick : full;
  }
}
