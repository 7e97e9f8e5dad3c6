// A client program that runs to its end, with the CPU time that it used.
import { BackgroundProcess } from '../../test/support/process.js';

const LOOK_EVERY_MS = 50;

export interface MeasuredRun {
  readonly output: string;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export async function runMeasured(command: string, args: readonly string[], timeoutMs: number): Promise<MeasuredRun> {
  const startedAt = performance.now();
  const process = new BackgroundProcess(command, args);
  let cpuSeconds = 0;
  const look = setInterval(() => {
    try {
      cpuSeconds = process.cpuSeconds();
    } catch {
      // It ended between two looks; the last one stands.
    }
  }, LOOK_EVERY_MS);
  const timer = setTimeout(() => process.signal('SIGKILL'), timeoutMs);
  const { code } = await process.exited();
  clearInterval(look);
  clearTimeout(timer);
  const seconds = (performance.now() - startedAt) / 1000;
  // What it printed last may still be under way.
  await new Promise((resolve) => setImmediate(resolve));
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}\n${process.output.slice(-4000)}`);
  return { output: process.output, seconds, cpuSeconds };
}
