import { spawn } from 'node:child_process';
import { Progress, StepError } from './report.mjs';

const TAIL_LINES = 40;
const KEPT_BYTES = 1 << 20;

/** Runs a command to its end. Resolves with the exit code and everything printed (the last MiB of it); never rejects. */
export function run(command, args, { cwd, env, onLine, echo = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const forward = forwardSignals(child);
    let output = '';
    let partial = '';
    const take = (chunk, stream) => {
      output = (output + chunk).slice(-KEPT_BYTES);
      if (echo) stream.write(chunk);
      if (!onLine) return;
      const lines = (partial + chunk).split('\n');
      partial = lines.pop();
      for (const line of lines) onLine(line);
    };
    child.stdout.setEncoding('utf8').on('data', (chunk) => take(chunk, process.stdout));
    child.stderr.setEncoding('utf8').on('data', (chunk) => take(chunk, process.stderr));
    child.once('error', (error) => {
      forward.end();
      resolve({ code: 127, output: `${command}: ${error.message}` });
    });
    child.once('close', (code, signal) => {
      forward.end();
      if (forward.received) process.exit(1);
      resolve({ code: code ?? 1, output: signal ? `${output}\n${command} was ended by ${signal}` : output });
    });
  });
}

/** A stop of the script stops the command that it waits for, and is not lost on the way. */
function forwardSignals(child) {
  const state = { received: false, end };
  const pass = (signal) => {
    state.received = true;
    child.kill(signal);
  };
  process.on('SIGINT', pass);
  process.on('SIGTERM', pass);
  function end() {
    process.off('SIGINT', pass);
    process.off('SIGTERM', pass);
  }
  return state;
}

export function tailOf(output, lines = TAIL_LINES) {
  return output.trimEnd().split('\n').slice(-lines).join('\n');
}

/** A step with a progress line around it; throws a StepError with the tail of the output when the command fails. */
export async function step(label, command, args, { remedy, detailOf, ...options } = {}) {
  const progress = new Progress(label);
  const onLine = detailOf && ((line) => {
    const detail = detailOf(line);
    if (detail) progress.update(detail);
  });
  const { code, output } = await run(command, args, { ...options, onLine });
  if (code !== 0) {
    progress.failed();
    throw new StepError(`${label} failed: '${[command, ...args].join(' ')}' ended with exit code ${code}`, {
      remedy,
      tail: tailOf(output),
    });
  }
  progress.done();
  return output;
}
