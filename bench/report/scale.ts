// Axes: where a value stands and which values get a mark.

export interface Axis {
  readonly label: string;
  /** From 0 to 1 along the axis. */
  place(value: number): number;
  readonly ticks: readonly { readonly value: number; readonly text: string }[];
}

export function shortNumber(value: number): string {
  if (value === 0) return '0';
  if (value >= 1e6) return `${trim(value / 1e6)}M`;
  if (value >= 1e4) return `${trim(value / 1e3)}k`;
  return trim(value);
}

function trim(value: number): string {
  return String(Number(value.toPrecision(3)));
}

export function linearAxis(label: string, greatest: number): Axis {
  const raw = greatest / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= raw) ?? raw;
  const count = Math.max(1, Math.ceil((greatest / step) * 1.02));
  const end = step * count;
  const ticks = Array.from({ length: count + 1 }, (_, index) => ({ value: index * step, text: shortNumber(index * step) }));
  return { label, place: (value) => value / end, ticks };
}

export function logAxis(label: string, values: readonly number[]): Axis {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  const low = Math.floor(Math.log10(Math.min(...positive)) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...positive)) - 1e-9));
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)).map((value) => ({ value, text: shortNumber(value) }));
  return { label, place: (value) => (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low), ticks };
}

/** Values that are known beforehand, at equal distances: numbers of partitions, of consumers. */
export function stepAxis(label: string, values: readonly number[]): Axis {
  const steps = [...new Set(values)].sort((a, b) => a - b);
  const last = Math.max(1, steps.length - 1);
  return { label, place: (value) => steps.indexOf(value) / last, ticks: steps.map((value) => ({ value, text: shortNumber(value) })) };
}

const NINES = [0, 90, 99, 99.9, 99.99, 99.999] as const;

/** Each further nine gets the same room. */
export function percentileAxis(label: string, greatest: number): Axis {
  const nines = (percent: number) => -Math.log10(1 - Math.min(percent, greatest) / 100);
  const end = nines(greatest);
  const ticks = NINES.filter((value) => value <= greatest).map((value) => ({ value, text: value === 0 ? 'min' : `${value}%` }));
  return { label, place: (value) => nines(value) / end, ticks };
}
