// Programs in other languages that hold the scenarios of one client. Such a program is called
//   <program> --list                        and prints the names of its scenarios, one a line;
//   <program> <bootstrap> <scenario>        and runs one: exit code 0 is success.
// A scenario that needs something done to the broker prints `broker: stop`, `broker: start` or `broker: kill9` on standard
// output and reads the answer, `done`, from standard input.
import { after, before, test } from 'node:test';
import { type BrokerProcess, startBroker, targetKind } from './broker.js';
import { compatSuite } from './compat.js';
import { BackgroundProcess, run } from './process.js';

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A program, or why it cannot run on this machine. */
export type ProgramOrReason = Program | { readonly missing: string };

/** Not an expectation of speed; a scenario with three restarts of the oracle takes minutes on a busy machine. */
const SCENARIO_TIMEOUT_MS = targetKind() === 'kafka' ? 300_000 : 110_000;
const REQUEST = 'broker: ';

/** The tests of one file: a broker, and one test for each scenario of the program. */
export async function scenarioTests(client: string, program: ProgramOrReason): Promise<void> {
  if ('missing' in program) {
    test(`${client}: could not run`, { skip: program.missing }, () => {});
    return;
  }
  const listed = await run(program.command, [...program.args, '--list'], options(program));
  if (listed.exitCode !== 0) throw new Error(`${client} --list: ${listed.stderr}`);
  let broker: BrokerProcess;
  before(async () => {
    broker = await startBroker();
  });
  after(() => broker?.dispose());
  const suite = compatSuite(client);
  for (const name of listed.stdout.split('\n').filter((line) => line !== '')) {
    suite.test(name, () => runScenario(program, name, broker), { timeoutMs: SCENARIO_TIMEOUT_MS + 60_000 });
  }
}

async function runScenario(program: Program, name: string, broker: BrokerProcess): Promise<void> {
  const child = new BackgroundProcess(program.command, [...program.args, broker.bootstrap, name], options(program));
  let failure: unknown;
  child.onLine((line) => {
    if (!line.startsWith(REQUEST)) return;
    void act(broker, line.slice(REQUEST.length)).then(
      () => child.write('done\n'),
      (error: unknown) => {
        failure = error;
        child.signal('SIGKILL');
      },
    );
  });
  const timer = setTimeout(() => {
    failure = new Error(`no end after ${SCENARIO_TIMEOUT_MS} ms`);
    child.signal('SIGABRT');
  }, SCENARIO_TIMEOUT_MS);
  const { code, signal } = await child.exited();
  clearTimeout(timer);
  if (broker.process.hasExited) await broker.start();
  if (code !== 0 || failure !== undefined) {
    throw new Error(`${name}: ${failure === undefined ? `exit code ${code ?? signal}` : String(failure)}\n${child.output}`, { cause: failure });
  }
}

async function act(broker: BrokerProcess, request: string): Promise<void> {
  if (request === 'stop') await broker.stop();
  else if (request === 'kill9') await broker.kill9();
  else if (request === 'start') await broker.start();
  else throw new Error(`there is no request '${request}'`);
}

function options(program: Program): { env?: Readonly<Record<string, string>> } {
  return program.env === undefined ? {} : { env: program.env };
}
