// Apache RocketMQ's jars and the small sender that is compiled against them, in bench/.cache, which is ignored. Maven resolves the coordinates with whatever
// repository this machine is set up for.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { javaCommand } from '../../test/support/java.js';
import { repositoryRoot } from '../../test/support/paths.js';
import { run } from '../../test/support/process.js';
import { say } from '../suite/progress.js';

export const ROCKETMQ_VERSION = '5.3.3';
const home = join(repositoryRoot, 'bench', '.cache', `rocketmq-${ROCKETMQ_VERSION}`);
const libs = join(home, 'libs');
const classes = join(home, 'classes');
const source = join(repositoryRoot, 'bench', 'java', 'RocketSender.java');
const FETCH_TIMEOUT_MS = 600_000;

export const classPath = `${classes}:${libs}/*`;

function pom(): string {
  const dependency = (artifact: string) =>
    `<dependency><groupId>org.apache.rocketmq</groupId><artifactId>${artifact}</artifactId><version>${ROCKETMQ_VERSION}</version></dependency>`;
  return [
    '<project><modelVersion>4.0.0</modelVersion>',
    '<groupId>sluice.cache</groupId><artifactId>rocketmq</artifactId><version>1</version><packaging>pom</packaging>',
    `<dependencies>${['rocketmq-broker', 'rocketmq-namesrv', 'rocketmq-client'].map(dependency).join('')}</dependencies></project>`,
  ].join('\n');
}

async function must(command: string, args: readonly string[]): Promise<void> {
  const result = await run(command, args, { timeoutMs: FETCH_TIMEOUT_MS });
  if (result.exitCode !== 0) throw new Error(`${command} ${args.join(' ')}\n${`${result.stdout}${result.stderr}`.trim().split('\n').slice(0, 20).join('\n')}`);
}

export async function requireRocketMq(): Promise<void> {
  if (!existsSync(libs)) {
    say(`fetching Apache RocketMQ ${ROCKETMQ_VERSION} with Maven`);
    const partial = `${libs}.partial-${process.pid}`;
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'pom.xml'), pom());
    try {
      await must('mvn', ['-q', '-B', '-f', join(home, 'pom.xml'), 'dependency:copy-dependencies', `-DoutputDirectory=${partial}`, '-DincludeScope=runtime']);
      if (!readdirSync(partial).includes(`rocketmq-broker-${ROCKETMQ_VERSION}.jar`)) throw new Error('Maven finished, but the broker did not come with it');
      renameSync(partial, libs);
    } finally {
      rmSync(partial, { recursive: true, force: true });
    }
  }
  mkdirSync(classes, { recursive: true });
  await must(javaCommand().replace(/java$/, 'javac'), ['-nowarn', '-d', classes, '-cp', `${libs}/*`, source]);
}
