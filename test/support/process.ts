// Child processes that never outlive the test: started, awaited with a deadline, measured through /proc, and killed by
// their own process id.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface RunResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Buffer;
  readonly timeoutMs?: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const MAX_KEPT_OUTPUT = 4 << 20;
const CLOCK_TICKS_PER_SECOND = 100;

const alive = new Set<ChildProcess>();
let hooked = false;

function track(child: ChildProcess): void {
  if (!hooked) {
    hooked = true;
    const killAll = () => {
      for (const each of alive) each.kill('SIGKILL');
    };
    process.on('exit', killAll);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        killAll();
        process.exit(1);
      });
    }
  }
  alive.add(child);
  child.once('exit', () => alive.delete(child));
}

/** Runs a command to its end and hands back all it printed. Kills it when the time is over, and says so. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
    });
    track(child);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (exitCode, signal) => {
      clearTimeout(timer);
      const stdout = Buffer.concat(out).toString();
      const stderr = Buffer.concat(err).toString();
      if (timedOut) {
        const what = `${command} ${args.join(' ')}`;
        return reject(new Error(`no end after ${timeoutMs} ms: ${what}\nstdout: ${stdout}\nstderr: ${stderr}`));
      }
      resolve({ exitCode, signal, stdout, stderr });
    });
    // A child that exits without reading its input is judged by its exit code, not by our broken pipe.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

/** A process that runs beside the test: a broker, or a client that is talked to over its standard streams. */
export class BackgroundProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #lineListeners = new Set<(line: string) => void>();
  #output = '';
  #partialLine = '';
  #hasExited = false;

  constructor(command: string, args: readonly string[], options: Pick<RunOptions, 'cwd' | 'env'> = {}) {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
    });
    track(child);
    this.#child = child;
    this.#exited = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        this.#hasExited = true;
        resolve({ code, signal });
      });
    });
    this.#exited.catch(() => {});
    if (child.pid === undefined) throw new Error(`${command} could not be started`);
    this.pid = child.pid;
    child.stdin?.on('error', () => {});
    child.stdout?.on('data', (chunk: Buffer) => this.#take(chunk.toString(), true));
    child.stderr?.on('data', (chunk: Buffer) => this.#take(chunk.toString(), false));
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** Standard output and error so far, the last few MiB of it. */
  get output(): string {
    return this.#output;
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  /** Calls back for every full line of standard output from now on; returns the function that ends it. */
  onLine(listener: (line: string) => void): () => void {
    this.#lineListeners.add(listener);
    return () => this.#lineListeners.delete(listener);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  exited(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    return this.#exited;
  }

  /** Sends the signal and waits; when the process does not go in time it is killed and that is an error. */
  async stop(signal: NodeJS.Signals, timeoutMs = 30_000): Promise<number | null> {
    if (!this.#hasExited) this.#child.kill(signal);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#child.kill('SIGKILL');
    }, timeoutMs);
    const { code } = await this.#exited;
    clearTimeout(timer);
    if (late) throw new Error(`process ${this.pid} did not stop within ${timeoutMs} ms of ${signal}\n${this.#output}`);
    return code;
  }

  rssBytes(): number {
    return statusKiB(this.pid, 'VmRSS') * 1024;
  }

  peakRssBytes(): number {
    return statusKiB(this.pid, 'VmHWM') * 1024;
  }

  /** User and system CPU seconds of the whole process, all threads. */
  cpuSeconds(): number {
    return cpuSecondsOf(this.pid);
  }

  #take(text: string, isStdout: boolean): void {
    this.#output = (this.#output + text).slice(-MAX_KEPT_OUTPUT);
    if (!isStdout) return;
    const lines = (this.#partialLine + text).split('\n');
    this.#partialLine = lines.pop() ?? '';
    for (const line of lines) for (const listener of this.#lineListeners) listener(line);
  }
}

export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command name may hold spaces and parentheses; the fields are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

function statusKiB(pid: number, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (match === null) throw new Error(`/proc/${pid}/status has no ${name}`);
  return Number(match[1]);
}
