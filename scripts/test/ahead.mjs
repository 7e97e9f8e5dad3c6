// What later parts need compiled is compiled while earlier ones run, which mostly wait for clients, disks and each other. It has the processors only when
// nobody else wants them, so those see nothing of it; nothing depends on how far it comes: each part builds what lacks, and says what does not compile.
import { root } from '../build/paths.mjs';
import { say, StepError } from '../build/report.mjs';
import { run } from '../build/run.mjs';
import { cmakeSteps } from './native.mjs';
import { needs } from './needs.mjs';

/** The lowest priority; where the kernel groups processes by session, of the whole group. */
const IDLY = ['sh', ['-c', '{ echo 19 > /proc/self/autogroup; } 2>/dev/null; exec nice -n 19 cmake "$@"', 'sh']];

export class Ahead {
  #waiting;   // parts, in their order
  #current;   // { part, abort, ended }

  /** The first part has nobody before it. */
  static async start([, ...later]) {
    const parts = [];
    for (const part of later) {
      if (part.ahead !== undefined && (await isAtHand(part.ahead.packages))) parts.push(part);
    }
    return new Ahead(parts);
  }

  constructor(parts) {
    this.#waiting = parts;
    this.#next();
  }

  /** `part` begins: it builds for itself now, at full speed. Two builds in one folder would be in each other's way. */
  async leave(part) {
    this.#waiting = this.#waiting.filter((other) => other !== part);
    if (this.#current?.part !== part) return;
    this.#current.abort.abort();
    await this.#current.ended;
  }

  async end() {
    this.#waiting = [];
    if (this.#current !== undefined) await this.leave(this.#current.part);
  }

  #next() {
    const part = this.#waiting.shift();
    if (part === undefined) return;
    const abort = new AbortController();
    const ended = build(part, abort.signal).then(() => {
      this.#current = undefined;
      this.#next();
    });
    this.#current = { part, abort, ended };
  }
}

async function build({ name, ahead }, signal) {
  const startedAt = performance.now();
  const { configure, build: compile, env } = cmakeSteps(ahead.build());
  const [command, args] = IDLY;
  for (const step of [configure, compile]) {
    if (signal.aborted || (await run(command, [...args, ...step], { cwd: root, env, signal })).code !== 0) return;
  }
  say(`${name}: compiled ahead, in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
}

/** One after the other and before all else: packages are not installed beside a part that installs some itself. */
async function isAtHand(packages) {
  try {
    await needs(packages);
    return true;
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    return false;   // the part will say so
  }
}
