// What the scripts say while they work: progress to standard error, so that standard output stays the program's own.
const isTerminal = process.stderr.isTTY === true;
const QUIET_INTERVAL_MS = 10_000;

/** A step that could not be done: `message` says what failed, `remedy` what to do about it, `tail` the end of what it printed. */
export class StepError extends Error {
  constructor(message, { remedy, tail } = {}) {
    super(message);
    this.name = 'StepError';
    this.remedy = remedy;
    this.tail = tail;
  }
}

export function say(line) {
  process.stderr.write(`sluice: ${line}\n`);
}

/** Tells of a failure in the form that every script uses, and leaves the exit code behind. */
export function fail(error) {
  if (!(error instanceof StepError)) throw error;
  if (error.tail) process.stderr.write(`${error.tail.replace(/\n?$/, '\n')}`);
  say(error.message);
  if (error.remedy) say(error.remedy);
  process.exitCode = 1;
}

/** A line that grows: rewritten in place on a terminal, otherwise repeated now and then. */
export class Progress {
  #label;
  #startedAt = performance.now();
  #lastShownAt = this.#startedAt;

  constructor(label) {
    this.#label = label;
    if (isTerminal) process.stderr.write(`sluice: ${label} ...`);
    else say(`${label} ...`);
  }

  update(detail) {
    const now = performance.now();
    if (isTerminal) process.stderr.write(`\r\x1b[Ksluice: ${this.#label} ... ${detail}`);
    else if (now - this.#lastShownAt > QUIET_INTERVAL_MS) {
      this.#lastShownAt = now;
      say(`${this.#label} ... ${detail}`);
    }
  }

  done(detail = '') {
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1);
    if (isTerminal) process.stderr.write('\r\x1b[K');
    say(`${this.#label}: done in ${seconds} s${detail && `, ${detail}`}`);
  }

  failed() {
    if (isTerminal) process.stderr.write('\r\x1b[K');
  }
}
