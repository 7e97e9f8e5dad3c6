import { spawn } from 'node:child_process';
import { Progress, StepError, say } from './report.mjs';

const TAIL_LINES = 40;
const KEPT_BYTES = 1 << 20;

/**
 * Runs a command to its end, with everything that it starts. Resolves with the exit code and what was printed (the last MiB of
 * it); never rejects. After `timeoutMs` it is killed, and `timedOut` is true; `signal` ends it before.
 */
export function run(command, args, { cwd, env, onLine, timeoutMs, signal } = {}) {
  return new Promise((resolve) => {
    // In a process group of its own, so that nothing that it starts outlives it.
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const forward = forwardSignals(child);
    let output = '';
    let timedOut = false;
    const timer = timeoutMs && setTimeout(() => {
      timedOut = true;
      killGroup(child, 'SIGKILL');
    }, timeoutMs);
    for (const stream of [child.stdout, child.stderr]) {
      let partial = '';
      stream.setEncoding('utf8').on('data', (chunk) => {
        output = (output + chunk).slice(-KEPT_BYTES);
        const lines = (partial + chunk).split('\n');
        partial = lines.pop();
        if (onLine) for (const line of lines) onLine(line);
      });
      stream.on('end', () => {
        if (onLine && partial !== '') onLine(partial);
      });
    }
    const stop = () => {
      if (child.pid !== undefined) killGroup(child, 'SIGTERM');
    };
    signal?.addEventListener('abort', stop);
    const end = (result) => {
      signal?.removeEventListener('abort', stop);
      clearTimeout(timer);
      forward.end();
      resolve({ timedOut, ...result });
    };
    child.once('error', (error) => end({ code: 127, output: `${command}: ${error.message}` }));
    child.once('close', (code, endedBy) => {
      if (forward.received) {
        say(`stopped by ${forward.received}, with ${command}`);
        process.exit(1);
      }
      end({ code: code ?? 1, output: endedBy ? `${output}\n${command} was ended by ${endedBy}` : output });
    });
  });
}

function killGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** A stop of the script stops the command that it waits for, and is not lost on the way. */
function forwardSignals(child) {
  const state = { received: undefined, end };
  const pass = (signal) => {
    state.received = signal;
    if (child.pid !== undefined) killGroup(child, signal);
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
