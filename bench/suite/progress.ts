// What a run says while it goes on, to standard error.
import { type Measurement } from './measurement.js';

const startedAt = performance.now();

export function say(text: string): void {
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  process.stderr.write(`[${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, '0')}] ${text}\n`);
}

export function sayMeasurement(each: Measurement): void {
  const where = [each.side, each.mode, each.client].filter((part) => part !== undefined).join(' ');
  const figures = Object.entries(each.figures).map(([key, value]) => `${key} ${value >= 1000 ? Math.round(value) : Number(value.toPrecision(3))}`);
  say(`${each.workload} ${where} (${each.turn}): ${each.name}: ${figures.join(', ')}`);
}
