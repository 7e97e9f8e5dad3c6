// Apache Kafka's jars, its command line tools by script name, and Java programs compiled from test/compat/java.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { keptClasses, sharedClasses } from './java-shared.js';
import { kafkaLibs, repositoryRoot } from './paths.js';
import { BackgroundProcess, run, type RunOptions, type RunResult } from './process.js';

/** What Kafka's own start script gives its JVM. */
export const kafkaJvmFlags = [
  '-Xmx1G',
  '-Xms1G',
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
] as const;

/** For short-lived programs: start fast, stay small. */
const clientJvmFlags = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto', '-Xmx256M'] as const;

/** Kafka's scripts and the class each one starts. */
export const kafkaToolClasses = {
  'kafka-topics': 'org.apache.kafka.tools.TopicCommand',
  'kafka-console-producer': 'org.apache.kafka.tools.ConsoleProducer',
  'kafka-console-consumer': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  'kafka-console-share-consumer': 'org.apache.kafka.tools.consumer.ConsoleShareConsumer',
  'kafka-consumer-groups': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  'kafka-share-groups': 'org.apache.kafka.tools.consumer.group.ShareGroupCommand',
  'kafka-groups': 'org.apache.kafka.tools.GroupsCommand',
  'kafka-streams-groups': 'org.apache.kafka.tools.streams.StreamsGroupCommand',
  'kafka-configs': 'kafka.admin.ConfigCommand',
  'kafka-producer-perf-test': 'org.apache.kafka.tools.ProducerPerformance',
  'kafka-consumer-perf-test': 'org.apache.kafka.tools.ConsumerPerformance',
  'kafka-e2e-latency': 'org.apache.kafka.tools.EndToEndLatency',
  'kafka-dump-log': 'org.apache.kafka.tools.DumpLogSegments',
  'kafka-get-offsets': 'org.apache.kafka.tools.GetOffsetShell',
  'kafka-delete-records': 'org.apache.kafka.tools.DeleteRecordsCommand',
  'kafka-log-dirs': 'org.apache.kafka.tools.LogDirsCommand',
  'kafka-transactions': 'org.apache.kafka.tools.TransactionsCommand',
  'kafka-acls': 'org.apache.kafka.tools.AclCommand',
  'kafka-features': 'org.apache.kafka.tools.FeatureCommand',
  'kafka-metadata-quorum': 'org.apache.kafka.tools.MetadataQuorumCommand',
  'kafka-leader-election': 'org.apache.kafka.tools.LeaderElectionCommand',
  'kafka-reassign-partitions': 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
  'kafka-broker-api-versions': 'org.apache.kafka.tools.BrokerApiVersionsCommand',
  'kafka-verifiable-producer': 'org.apache.kafka.tools.VerifiableProducer',
  'kafka-verifiable-consumer': 'org.apache.kafka.tools.VerifiableConsumer',
} as const;

export type KafkaTool = keyof typeof kafkaToolClasses;

export function javaCommand(): string {
  const home = process.env['JAVA_HOME'];
  return home === undefined ? 'java' : join(home, 'bin', 'java');
}

let fetched: Promise<void> | undefined;

/** Makes sure that Apache Kafka's jars are in the cache. Throws what the fetch script says when they cannot be had. */
export function requireKafka(): Promise<void> {
  fetched ??= (async () => {
    const result = await run(process.execPath, [join(repositoryRoot, 'scripts', 'kafka', 'fetch.mjs'), '--quiet'], {
      timeoutMs: 600_000,
    });
    if (result.exitCode !== 0) throw new Error(result.stderr.trim());
  })();
  return fetched;
}

/** Runs one of Kafka's scripts by name. */
export async function kafkaTool(tool: KafkaTool, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  await requireKafka();
  const classPath = `${kafkaLibs('tools')}/*`;
  const { flags, ended } = keptClasses(tool === 'kafka-dump-log' ? 'dump-log' : 'tools');
  let signal: NodeJS.Signals | null = 'SIGKILL';
  try {
    const result = await run(javaCommand(), [...clientJvmFlags, ...flags, '-cp', classPath, kafkaToolClasses[tool], ...args], options);
    signal = result.signal;
    return result;
  } finally {
    ended(signal);
  }
}

const javaSources = join(repositoryRoot, 'test', 'compat', 'java');

/** Compiles test/compat/java/<mainClass>.java and what it uses, once per content; returns the folder of classes. */
export async function compileJava(mainClass: string, libs: 'broker' | 'tools' = 'broker'): Promise<string> {
  await requireKafka();
  const hash = createHash('sha256');
  for (const name of readdirSync(javaSources).sort()) hash.update(name).update(readFileSync(join(javaSources, name)));
  const target = join(repositoryRoot, '.cache', 'java-classes', `${mainClass}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(target)) return target;
  const partial = `${target}.partial-${process.pid}`;
  mkdirSync(partial, { recursive: true });
  const javac = javaCommand().replace(/java$/, 'javac');
  const result = await run(javac, [
    '-nowarn',
    '-d',
    partial,
    '-cp',
    `${kafkaLibs(libs)}/*`,
    '-sourcepath',
    javaSources,
    join(javaSources, `${mainClass}.java`),
  ]);
  if (result.exitCode !== 0) throw new Error(`${mainClass}.java does not compile:\n${result.stderr}`);
  try {
    renameSync(partial, target);
  } catch (error) {
    // Another test file compiled the same in the meantime.
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
  return target;
}

async function javaArguments(mainClass: string, args: readonly string[]): Promise<string[]> {
  const classes = await compileJava(mainClass);
  return [...clientJvmFlags, ...sharedClasses('broker'), '-cp', [`${kafkaLibs('broker')}/*`, classes].join(delimiter), mainClass, ...args];
}

/** A program of test/compat/java that needs more than the clients: Kafka Streams and Connect, which come with the tools. */
export async function javaToolsProgram(mainClass: string): Promise<{ command: string; args: string[] }> {
  const classPath = [`${kafkaLibs('tools')}/*`, await compileJava(mainClass, 'tools')].join(delimiter);
  return { command: javaCommand(), args: [...clientJvmFlags, '-Xmx512M', ...sharedClasses('tools'), '-cp', classPath, mainClass] };
}

/** Runs a program of test/compat/java with Kafka's client jars to its end. */
export async function runJava(mainClass: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return run(javaCommand(), await javaArguments(mainClass, args), options);
}

/** Starts a program of test/compat/java that is talked to while it runs. */
export async function startJava(mainClass: string, args: readonly string[]): Promise<BackgroundProcess> {
  return new BackgroundProcess(javaCommand(), await javaArguments(mainClass, args));
}
