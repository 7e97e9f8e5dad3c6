// The command as a user runs it: the ready line, stopping by signals, and one line with exit code 1 for everything that is wrong.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { repositoryRoot } from '../support/paths.js';
import { BackgroundProcess, run } from '../support/process.js';
import { makeTempDirectory, removeDirectory } from '../support/temp.js';
import { askApiVersions } from '../support/wire.js';

const main = join(repositoryRoot, 'dist', 'src', 'cli', 'main.js');
const work = makeTempDirectory('command');
after(() => removeDirectory(work));

const READY = /INFO {2}sluice \d+\.\d+\.\d+ is ready: PLAINTEXT:\/\/127\.0\.0\.1:(\d+), data in (\S+), durability (fsync|os), driver (io_uring|epoll), 1 reactor, (\d+) topics?, \d+ ms$/;

interface Started {
  readonly process: BackgroundProcess;
  readonly ready: RegExpExecArray;
}

async function start(name: string, args: readonly string[] = [], env: Record<string, string> = {}): Promise<Started> {
  const overrides = ['--override', 'listeners=PLAINTEXT://127.0.0.1:0', '--override', `log.dirs=${join(work, name)}`];
  const broker = new BackgroundProcess(process.execPath, [main, ...overrides, ...args], { cwd: work, env });
  const ready = await new Promise<RegExpExecArray>((resolve, reject) => {
    broker.onLine((line) => {
      const match = READY.exec(line);
      if (match !== null) resolve(match);
    });
    void broker.exited().then(() => reject(new Error(`it ended:\n${broker.output}`)));
  });
  return { process: broker, ready };
}

/** Exit code and everything printed of a start that must fail. */
async function failing(args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run(process.execPath, [main, ...args], { cwd: work });
  assert.equal(exitCode, 1, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, /^sluice: [^\n]+\n$/, 'one line');
  return stderr;
}

describe('a start that succeeds', () => {
  test('says so when it can be used, and stops cleanly on SIGTERM, SIGINT and SIGHUP', async () => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      const { process: broker, ready } = await start('clean');
      await askApiVersions(Number(ready[1]));
      assert.equal(ready[2], join(work, 'clean'));
      assert.equal(await broker.stop(signal), 0);
      assert.match(broker.output, new RegExp(`INFO {2}${signal}: stopping\n.*INFO {2}stopped cleanly, \\d+ ms\n$`, 's'));
      assert.equal(existsSync(join(work, 'clean', '.kafka_cleanshutdown')), true);
    }
  });

  test('with a file of Kafka and overrides; what has no effect is named once', async () => {
    const file = join(work, 'server.properties');
    writeFileSync(file, 'process.roles=broker,controller\nnode.id=7\nlisteners=PLAINTEXT://:9092,CONTROLLER://:9093\ncontroller.listener.names=CONTROLLER\n' +
      'controller.quorum.voters=7@localhost:9093\nadvertised.listeners=PLAINTEXT://127.0.0.1:9092\nnum.io.threads=8\nno.such=1\n');
    const args = [file, '--override', 'listeners=PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:9093', '--override', 'sluice.durability=os',
      '--override', 'sluice.io.driver=epoll', '--override', 'advertised.listeners=PLAINTEXT://127.0.0.1:0'];
    const { process: broker, ready } = await start('file', args);
    assert.deepEqual([ready[3], ready[4]], ['os', 'epoll']);
    assert.equal(await broker.stop('SIGTERM'), 0);
    const warnings = broker.output.split('\n').filter((line) => line.includes(' WARN ')).map((line) => line.replace(/^\S+ WARN {2}/, ''));
    assert.deepEqual(warnings, [
      'there is one broker, so these count as 1: offsets.topic.replication.factor, transaction.state.log.replication.factor, transaction.state.log.min.isr, ' +
        'share.coordinator.state.topic.replication.factor, share.coordinator.state.topic.min.isr',
      'the controller is inside the broker, so its listener is not bound: CONTROLLER://127.0.0.1:9093',
      'accepted, but without effect in Sluice: num.io.threads',
      'unknown settings, ignored: no.such',
    ]);
  });

  test('when nobody reads its log any more it goes on', async () => {
    const overrides = ['--override', 'listeners=PLAINTEXT://127.0.0.1:0', '--override', `log.dirs=${join(work, 'deaf')}`];
    const broker = spawn(process.execPath, [main, ...overrides], { cwd: work, stdio: ['ignore', 'pipe', 'ignore'] });
    const exited = once(broker, 'exit');
    await once(broker.stdout, 'data');
    broker.stdout.destroy();
    broker.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null]);
  });
});

describe('a start that fails ends with one line', () => {
  const data = (name: string): string[] => ['--override', `log.dirs=${join(work, name)}`];
  const anyPort = ['--override', 'listeners=PLAINTEXT://127.0.0.1:0'];

  test('an invalid value', async () => {
    assert.match(await failing(['--override', 'num.partitions=0']), /--override: Invalid value 0 for configuration num\.partitions: Value must be at least 1/);
  });

  test('what Sluice does not serve', async () => {
    assert.match(await failing(['--override', 'authorizer.class.name=x.Y']), /authorizer\.class\.name is set/);
  });

  test('a file that is not there, an option that there is not', async () => {
    assert.match(await failing(['none.properties']), /none\.properties cannot be read/);
    assert.match(await failing(['--deamon']), /--deamon is not an option/);
  });

  test('a port in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    try {
      assert.match(await failing([...data('port'), '--override', `listeners=PLAINTEXT://127.0.0.1:${address.port}`]),
        new RegExp(`127\\.0\\.0\\.1:${address.port} .*\\(EADDRINUSE\\); stop what listens there, or name another port in listeners`));
    } finally {
      server.close();
    }
  });

  test('a directory that is locked', async () => {
    const { process: broker } = await start('locked');
    try {
      assert.match(await failing([...anyPort, ...data('locked')]), new RegExp(join(work, 'locked')));
    } finally {
      await broker.stop('SIGTERM');
    }
  });

  test('a directory that cannot be written', async () => {
    assert.match(await failing([...anyPort, '--override', 'log.dirs=/proc/sluice']), /\/proc\/sluice/);
    writeFileSync(join(work, 'plain'), '');
    assert.match(await failing([...anyPort, ...data('plain/below')]), /plain\/below/);
    assert.match(await failing([...anyPort, ...data('plain')]), /plain cannot be opened: .*\(ENOTDIR\); log\.dirs must name a directory/);
  });

  test('a directory of another node', async () => {
    mkdirSync(join(work, 'foreign'));
    writeFileSync(join(work, 'foreign', 'meta.properties'), 'version=1\nnode.id=9\ncluster.id=AAAAAAAAAAAAAAAAAAAAAA\ndirectory.id=AAAAAAAAAAAAAAAAAAAAAQ\n');
    assert.match(await failing([...anyPort, ...data('foreign')]), /foreign.*(9|node)/);
  });
});
