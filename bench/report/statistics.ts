// Medians and ratios with their spread.
import { type FigureKey, FIGURES, type Measurement } from '../suite/measurement.js';

export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

export function valuesOf(measurements: readonly Measurement[], key: FigureKey): number[] {
  return measurements.flatMap((each) => {
    const value = each.figures[key];
    return value === undefined ? [] : [value];
  });
}

/** How many times better `ours` is than `theirs`: the n-th start of the one against the n-th start of the other. Undefined where nothing pairs up. */
export function timesBetter(ours: readonly Measurement[], theirs: readonly Measurement[], key: FigureKey): Ratio | undefined {
  const better = FIGURES[key].isBetter;
  if (better === 'neither') return undefined;
  const ratios = ours.flatMap((each) => {
    const peer = theirs.find((other) => other.turn === each.turn && key in other.figures);
    const [a, b] = [each.figures[key], peer?.figures[key]];
    if (a === undefined || b === undefined || a <= 0 || b <= 0) return [];
    return [better === 'more' ? a / b : b / a];
  });
  if (ratios.length === 0) return undefined;
  return { median: median(ratios), least: Math.min(...ratios), greatest: Math.max(...ratios) };
}

export function show(value: number): string {
  if (Number.isNaN(value)) return '-';
  if (!Number.isFinite(value)) return 'none';
  if (value >= 1000) return Math.round(value).toLocaleString('en-US');
  if (value > 0 && value < 0.1) return value.toPrecision(2);
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function showRatio(ratio: Ratio | undefined): string {
  if (ratio === undefined) return '-';
  const spread = ratio.least === ratio.greatest ? '' : ` (${show(ratio.least)}-${show(ratio.greatest)})`;
  return `${show(ratio.median)}x${spread}`;
}
