// Puts Apache Kafka's jars into a git-ignored cache, for use as an oracle in tests and as a peer in benchmarks:
//   .cache/kafka/4.4.0/libs         the broker
//   .cache/kafka/tools-4.3.1/libs   the command line tools
// Run it as `node scripts/kafka/fetch.mjs [--quiet]`. It does nothing when the cache is complete. Maven resolves the
// coordinates with whatever repository this machine is set up for; nothing fetched here is ever committed.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const BROKER_VERSION = '4.4.0';
export const TOOLS_VERSION = '4.3.1';

const repositoryRoot = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Everything that is fetched, each set into a folder of its own so that class paths never mix versions. */
export const KAFKA_SETS = [
  {
    name: BROKER_VERSION,
    artifacts: [
      { group: 'org.apache.kafka', artifact: 'kafka_2.13', version: BROKER_VERSION },
      { group: 'org.slf4j', artifact: 'slf4j-nop', version: '1.7.36' },
    ],
    mustHave: [`kafka_2.13-${BROKER_VERSION}.jar`, `kafka-clients-${BROKER_VERSION}.jar`, 'slf4j-nop-1.7.36.jar'],
  },
  {
    name: `tools-${TOOLS_VERSION}`,
    artifacts: [
      ...['kafka-tools', 'kafka-streams', 'connect-runtime', 'kafka_2.13'].map((artifact) => ({
        group: 'org.apache.kafka',
        artifact,
        version: TOOLS_VERSION,
      })),
      { group: 'org.slf4j', artifact: 'slf4j-nop', version: '1.7.36' },
    ],
    mustHave: [`kafka-tools-${TOOLS_VERSION}.jar`, `kafka_2.13-${TOOLS_VERSION}.jar`, 'slf4j-nop-1.7.36.jar'],
  },
];

export function kafkaCacheDirectory() {
  return process.env.SLUICE_KAFKA_CACHE ?? join(repositoryRoot, '.cache', 'kafka');
}

export function libsDirectory(set) {
  return join(kafkaCacheDirectory(), set.name, 'libs');
}

function isComplete(set) {
  const marker = join(kafkaCacheDirectory(), set.name, 'complete.json');
  if (!existsSync(marker)) return false;
  try {
    const jars = JSON.parse(readFileSync(marker, 'utf8'));
    const present = new Set(readdirSync(libsDirectory(set)));
    return Array.isArray(jars) && set.mustHave.every((jar) => jars.includes(jar)) && jars.every((jar) => present.has(jar));
  } catch {
    return false;
  }
}

export function isKafkaFetched() {
  return KAFKA_SETS.every(isComplete);
}

function pomOf(set) {
  const dependencies = set.artifacts.map(
    (a) =>
      `    <dependency><groupId>${a.group}</groupId><artifactId>${a.artifact}</artifactId>` +
      `<version>${a.version}</version></dependency>`,
  );
  return [
    '<project>',
    '  <modelVersion>4.0.0</modelVersion>',
    `  <groupId>sluice.cache</groupId><artifactId>kafka-${set.name}</artifactId><version>1</version><packaging>pom</packaging>`,
    '  <dependencies>',
    ...dependencies,
    '  </dependencies>',
    '</project>',
    '',
  ].join('\n');
}

async function requireCommand(command, argument, packageName) {
  try {
    await run(command, [argument]);
  } catch (cause) {
    throw new Error(
      `Apache Kafka cannot be fetched: '${command} ${argument}' does not run. ` +
        `Install it first, on Debian: apt-get install -y ${packageName}`,
      { cause },
    );
  }
}

async function fetchSet(set, log) {
  const home = join(kafkaCacheDirectory(), set.name);
  const partial = join(home, `libs.partial-${process.pid}`);
  mkdirSync(home, { recursive: true });
  rmSync(partial, { recursive: true, force: true });
  writeFileSync(join(home, 'pom.xml'), pomOf(set));
  log(`fetching Apache Kafka ${set.name} with Maven`);
  try {
    await run(
      'mvn',
      ['-q', '-B', '-f', join(home, 'pom.xml'), 'dependency:copy-dependencies', `-DoutputDirectory=${partial}`, '-DincludeScope=runtime'],
      { maxBuffer: 64 << 20 },
    );
    const jars = readdirSync(partial).filter((name) => name.endsWith('.jar')).sort();
    const missing = set.mustHave.filter((jar) => !jars.includes(jar));
    if (missing.length > 0) throw new Error(`Maven finished, but ${missing.join(', ')} did not come with it`);
    rmSync(libsDirectory(set), { recursive: true, force: true });
    renameSync(partial, libsDirectory(set));
    writeFileSync(join(home, 'complete.json'), JSON.stringify(jars, null, 1) + '\n');
    log(`  ${jars.length} jars in ${libsDirectory(set)}`);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    const detail = `${error.stdout ?? ''}${error.stderr ?? ''}`.trim().split('\n').slice(0, 12).join('\n');
    throw new Error(`Apache Kafka ${set.name} could not be fetched: ${detail || error.message}`, { cause: error });
  }
}

/** Fetches what is missing. Throws an Error with one clear message where Java or Maven lacks. */
export async function fetchKafka(log = () => {}) {
  const missing = KAFKA_SETS.filter((set) => !isComplete(set));
  if (missing.length === 0) return;
  await requireCommand('java', '-version', 'openjdk-17-jdk-headless');
  await requireCommand('mvn', '-version', 'maven');
  for (const set of missing) await fetchSet(set, log);
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const quiet = process.argv.includes('--quiet');
  fetchKafka(quiet ? () => {} : (line) => console.log(line)).then(
    () => {
      if (!quiet) console.log(`Apache Kafka is in ${kafkaCacheDirectory()}`);
    },
    (error) => {
      console.error(error.message);
      process.exitCode = 1;
    },
  );
}
