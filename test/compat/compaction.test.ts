// The same batches given to Apache Kafka and to Sluice, compacted by both, then compared: segment files, batches, records, byte for byte but for the times at
// which a cleaner came by. Each opens what the other has cleaned, and Kafka's tool finds every segment and index valid.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { buildBatch, parseBatches, readRecords } from '../../src/protocol/records/batch.js';
import { type BrokerProcess, startBroker, type TargetKind } from '../support/broker.js';
import { compatSuite } from '../support/compat.js';
import { dump, filesOf } from '../support/dump-log.js';
import { crc32c } from '../support/record-batch.js';
import { makeTempDirectory, removeDirectory } from '../support/temp.js';
import { encodeRequest, int16, int32, RawConnection, string16 } from '../support/wire.js';
import { assertNoDamage } from '../support/verify.js';

const suite = compatSuite('compaction');
const PRODUCE = 0;
const CREATE_TOPICS = 19;
const ALTER_CONFIGS = 33;
const TOPIC_RESOURCE = 2;
const GZIP = 1;
/** UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER */
const NOT_YET: ReadonlySet<number> = new Set([3, 6]);
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const RECORDS_AT = 61;
const DELETE_HORIZON = 0x40;

const brokerProperties = { 'log.cleaner.backoff.ms': '50', 'log.segment.delete.delay.ms': '100' };
const never = { 'min.cleanable.dirty.ratio': '1.0' };
const now = { 'min.cleanable.dirty.ratio': '0.01' };

interface Case {
  readonly topic: string;
  readonly configs: Readonly<Record<string, string>>;
  readonly keys: number;
  readonly isCompressed: boolean;
  readonly hasProducers: boolean;
}

async function ask(port: number, apiKey: number, apiVersion: number, body: Buffer): Promise<Buffer> {
  const connection = await RawConnection.open(port);
  try {
    connection.send(encodeRequest({ apiKey, apiVersion, correlationId: 1 }, body));
    return (await connection.receive()).subarray(4);
  } finally {
    connection.destroy();
  }
}

function pairs(configs: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(configs);
  return Buffer.concat([int32(entries.length), ...entries.flatMap(([name, value]) => [string16(name), string16(value)])]);
}

async function createTopic(port: number, topic: string, configs: Readonly<Record<string, string>>): Promise<void> {
  const body = [int32(1), string16(topic), int32(1), int16(1), int32(0), pairs(configs), int32(30_000), Buffer.from([0])];
  const answer = await ask(port, CREATE_TOPICS, 2, Buffer.concat(body));
  assert.equal(answer.readInt16BE(8 + 2 + answer.readInt16BE(8)), 0, 'CreateTopics');
}

async function setConfigs(port: number, topic: string, configs: Readonly<Record<string, string>>): Promise<void> {
  const body = [int32(1), Buffer.from([TOPIC_RESOURCE]), string16(topic), pairs(configs), Buffer.from([0])];
  const answer = await ask(port, ALTER_CONFIGS, 1, Buffer.concat(body));
  assert.equal(answer.readInt16BE(8), 0, 'AlterConfigs');
}

function gzipped(batch: Buffer): Buffer {
  const made = Buffer.concat([batch.subarray(0, RECORDS_AT), gzipSync(batch.subarray(RECORDS_AT))]);
  made.writeInt32BE(made.length - 12, 8);
  made.writeInt16BE(made.readInt16BE(ATTRIBUTES_AT) | GZIP, ATTRIBUTES_AT);
  made.writeUInt32BE(crc32c(made.subarray(ATTRIBUTES_AT)), CRC_AT);
  return made;
}

/** Batches that are the same on every run: keys come back, some records are tombstones. */
class Batches {
  readonly #case: Case;
  readonly #sequences = new Map<bigint, number>();
  #seed = 12345;
  #time = 1_700_000_000_000;

  constructor(of: Case) {
    this.#case = of;
  }

  #below(n: number): number {
    this.#seed = (Math.imul(this.#seed, 1103515245) + 12345) >>> 0;
    return (this.#seed >>> 8) % n;
  }

  next(): Buffer {
    const count = 1 + this.#below(8);
    const producerId = this.#case.hasProducers ? BigInt(700 + this.#below(3)) : -1n;
    const baseSequence = this.#sequences.get(producerId) ?? 0;
    this.#sequences.set(producerId, baseSequence + count);
    const records = Array.from({ length: count }, () => {
      this.#time += this.#below(50);
      const key = Buffer.from(`key-${this.#below(this.#case.keys)}`);
      const value = this.#below(6) === 0 ? null : Buffer.from(`${this.#time}`.repeat(1 + this.#below(6)));
      return { key, value, timestamp: BigInt(this.#time), headers: [{ key: 'h', value: Buffer.from([1]) }] };
    });
    const idempotent = producerId < 0n ? {} : { producerId, producerEpoch: 0, baseSequence };
    const batch = buildBatch({ records, timestamp: BigInt(this.#time), ...idempotent });
    return this.#case.isCompressed && this.#below(2) === 0 ? gzipped(batch) : batch;
  }
}

async function sendBatch(connection: RawConnection, topic: string, batch: Buffer): Promise<number> {
  const body = [int16(-1), int16(-1), int32(30_000), int32(1), string16(topic), int32(1), int32(0), int32(batch.length), batch];
  connection.send(encodeRequest({ apiKey: PRODUCE, apiVersion: 3, correlationId: 1 }, Buffer.concat(body)));
  const answer = (await connection.receive()).subarray(4);
  return answer.readInt16BE(4 + 2 + answer.readInt16BE(4) + 4 + 4);
}

async function produce(port: number, topic: string, batches: readonly Buffer[]): Promise<void> {
  const connection = await RawConnection.open(port);
  try {
    for (const batch of batches) {
      let code = await sendBatch(connection, topic, batch);
      // Kafka answers CreateTopics before its partitions take anything.
      for (let again = 0; NOT_YET.has(code) && again < 1000; again += 1) {
        await delay(10);
        code = await sendBatch(connection, topic, batch);
      }
      assert.equal(code, 0, 'Produce');
    }
  } finally {
    connection.destroy();
  }
}

function activeBase(dataDirectory: string, topic: string): number {
  return Number(basename(filesOf(dataDirectory, `${topic}-0`, '.log').at(-1)!, '.log'));
}

/** The cleaner has noted that everything below the active segment is clean. */
async function cleaned(broker: BrokerProcess, topic: string, deadline: number): Promise<void> {
  for (;;) {
    let text = '';
    try {
      text = readFileSync(join(broker.dataDirectory, 'cleaner-offset-checkpoint'), 'utf8');
    } catch {
      // not there before the first cleaning
    }
    const line = text.split('\n').find((each) => each.startsWith(`${topic} 0 `));
    if (line !== undefined && Number(line.split(' ')[2]) >= activeBase(broker.dataDirectory, topic)) return;
    assert.ok(Date.now() < deadline, `${broker.kind} has not cleaned ${topic}: ${text}\n${broker.output.slice(-2000)}`);
    await delay(20);
  }
}

interface Shown {
  readonly file: string;
  readonly batches: readonly object[];
}

/** Everything in the segment files of the partition but positions in time of the cleaners. */
function show(dataDirectory: string, topic: string): Shown[] {
  return filesOf(dataDirectory, `${topic}-0`, '.log').map((file) => ({
    file: basename(file),
    batches: parseBatches(readFileSync(file)).map((batch) => ({
      baseOffset: batch.baseOffset,
      lastOffset: batch.lastOffset,
      attributes: batch.attributes,
      hasHorizon: batch.deleteHorizonMs !== null,
      baseTimestamp: (batch.attributes & DELETE_HORIZON) !== 0 ? 'horizon' : batch.baseTimestamp,
      maxTimestamp: batch.maxTimestamp,
      producerId: batch.producerId,
      producerEpoch: batch.producerEpoch,
      baseSequence: batch.baseSequence,
      recordCount: batch.recordCount,
      records: readRecords(batch, (_codec, data) => gunzipSync(data)).map(({ offset, timestamp, key, value, headers }) => ({
        offset, timestamp, key: String(key), value: value === null ? null : String(value), headers: headers.length,
      })),
    })),
  }));
}

function recordsOf(shown: readonly Shown[]): number {
  return shown.flatMap(({ batches }) => batches as { recordCount: number }[]).reduce((sum, { recordCount }) => sum + recordCount, 0);
}

/** What a consumer gets from either broker: last value of each key. */
function lastOfKeys(shown: readonly Shown[]): Map<string, string | null> {
  const last = new Map<string, string | null>();
  for (const { batches } of shown) {
    for (const { records } of batches as { records: { key: string; value: string | null }[] }[]) {
      for (const { key, value } of records) last.set(key, value);
    }
  }
  return last;
}

const cases: readonly Case[] = [
  { topic: 'plain', configs: {}, keys: 40, isCompressed: false, hasProducers: false },
  { topic: 'compressed-idempotent', configs: {}, keys: 60, isCompressed: true, hasProducers: true },
  { topic: 'short-tombstones', configs: { 'delete.retention.ms': '0' }, keys: 30, isCompressed: false, hasProducers: true },
  { topic: 'compact-and-delete', configs: { 'cleanup.policy': 'compact,delete', 'retention.ms': '-1' }, keys: 25, isCompressed: true, hasProducers: false },
];

function configsOf(one: Case): Record<string, string> {
  return { 'cleanup.policy': 'compact', 'internal.segment.bytes': '20000', 'index.interval.bytes': '1000', 'file.delete.delay.ms': '100', ...one.configs };
}

async function onBroker<T>(kind: TargetKind, dataDirectory: string, use: (broker: BrokerProcess) => Promise<T>): Promise<T> {
  const broker = await startBroker({ kind, dataDirectory, properties: brokerProperties });
  try {
    const result = await use(broker);
    await broker.stop();
    await assertNoDamage(dataDirectory, { clean: true });
    return result;
  } finally {
    await broker.dispose();
  }
}

/** Two rounds of batches, each cleaned in one go; what the files held before the first, after it and after the second. */
async function twoRounds(broker: BrokerProcess, one: Case, rounds: readonly (readonly Buffer[])[]): Promise<Shown[][]> {
  const { topic } = one;
  await createTopic(broker.port, topic, { ...configsOf(one), ...never });
  const views: Shown[][] = [];
  for (const batches of rounds) {
    await setConfigs(broker.port, topic, { ...configsOf(one), ...never });
    await produce(broker.port, topic, batches);
    if (views.length === 0) views.push(show(broker.dataDirectory, topic));
    await setConfigs(broker.port, topic, { ...configsOf(one), ...now });
    await cleaned(broker, topic, Date.now() + 60_000);
    views.push(show(broker.dataDirectory, topic));
  }
  return views;
}

async function everyFileIsValid(dataDirectory: string): Promise<void> {
  const all = (suffix: string) => cases.flatMap(({ topic }) => filesOf(dataDirectory, `${topic}-0`, suffix));
  const indexes = [...all('.index'), ...all('.timeindex')].filter((file) => readFileSync(file).length > 0);
  assert.ok(indexes.length > cases.length);
  await dump(all('.log'));
  await dump(indexes, '--index-sanity-check');
  await dump(indexes, '--verify-index-only');
}

suite.test('Kafka and Sluice leave the same files, and each opens what the other has cleaned', async (context) => {
  if (process.env['SLUICE_COMPAT_TARGET'] === 'kafka') return context.skip('compares with Sluice');
  const work = makeTempDirectory('compaction');
  context.after(() => removeDirectory(work));
  const data = (kind: TargetKind) => join(work, kind);
  const rounds = cases.map((one) => {
    const source = new Batches(one);
    return [400, 300, 200].map((count) => Array.from({ length: count }, () => source.next()));
  });
  const run = (kind: TargetKind) => onBroker(kind, data(kind), async (broker) => {
    const views: Shown[][][] = [];
    for (const [index, one] of cases.entries()) views.push(await twoRounds(broker, one, rounds[index]!.slice(0, 2)));
    return views;
  });
  const [kafka, sluice] = await Promise.all([run('kafka'), run('sluice')]);
  for (const [index, { topic }] of cases.entries()) {
    for (const [view, what] of ['before', 'after the first cleaning', 'after the second'].entries()) {
      assert.deepEqual(sluice[index]![view], kafka[index]![view], `${topic} ${what}`);
    }
    assert.ok(recordsOf(sluice[index]![1]!) < recordsOf(sluice[index]![0]!) / 3, topic);
  }
  await everyFileIsValid(data('sluice'));

  // Each broker on the other's directory: it finds what was left, goes on, and cleans again.
  const goOn = (kind: TargetKind, of: TargetKind) => onBroker(kind, data(of), async (broker) => {
    const alive: unknown[] = [];
    for (const [index, { topic }] of cases.entries()) {
      assert.deepEqual(lastOfKeys(show(broker.dataDirectory, topic)), lastOfKeys(sluice[index]![2]!));
      await produce(broker.port, topic, rounds[index]![2]!);
      await cleaned(broker, topic, Date.now() + 60_000);
      alive.push([...lastOfKeys(show(broker.dataDirectory, topic))].filter(([, value]) => value !== null).sort());
    }
    return alive;
  });
  const [byKafka, bySluice] = await Promise.all([goOn('kafka', 'sluice'), goOn('sluice', 'kafka')]);
  assert.deepEqual(bySluice, byKafka);
}, { timeoutMs: 240_000 });
