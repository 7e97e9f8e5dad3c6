// A disk that does nothing for seconds, for real: requests that need it time out or wait, everything else goes on, and no group rebalances because of it.
// Needs root, to mount and freeze it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createTopicsApi, errorName, metadataApi, offsetCommitApi, offsetFetchApi, produceApi } from '../../src/protocol/index.js';
import { GroupClient, type Member } from '../kafka/support/groups.js';
import { type BrokerProcess, startBroker } from '../support/broker.js';
import { type DiskKind } from '../support/disk-image.js';
import { KafkaClient } from '../support/kafka-client.js';
import { mountedOrSkipped } from '../support/mounts.js';
import { createTopicRaw, readPartition } from '../support/raw-client.js';
import { buildBatch } from '../support/record-batch.js';
import { StallingDisk } from '../support/stalling-disk.js';

const TEST_TIMEOUT_MS = 300_000;
const SESSION_MS = 2000;
/** More than two sessions. */
const STALL_MS = 5000;
const BEAT_EVERY_MS = 200;
const TOPIC = 'stalled';
const BUSY_TOPIC = 'busy';
const NO_PRODUCER = { producerId: -1n, producerEpoch: -1, baseSequence: -1 };

/** A member with a connection of its own. */
interface Seat {
  readonly group: GroupClient;
  readonly member: Member;
}

async function joinBoth(clients: readonly KafkaClient[]): Promise<Seat[]> {
  const groups = clients.map((client) => new GroupClient(client));
  const groupId = await groups[0]!.newGroup();
  const options = { sessionTimeoutMs: SESSION_MS, rebalanceTimeoutMs: 60_000 };
  const members = await Promise.all(groups.map((group) => group.joinAlone(groupId, options)));
  const assignments = members.map(({ memberId }) => ({ memberId, assignment: Buffer.from('some') }));
  const seats = members.map((member, i) => ({ group: groups[i]!, member }));
  await Promise.all(seats.map(async ({ group, member }) => {
    // What others than the leader assign does not count.
    assert.equal(errorName((await group.sync(5, { ...member, protocolType: 'consumer', protocolName: 'range', assignments })).errorCode), 'NONE');
  }));
  return seats;
}

async function beat({ group, member }: Seat): Promise<void> {
  assert.equal(await group.heartbeat(4, member), 'NONE');
}

async function produce(client: KafkaClient, timeoutMs: number, text: string, topic = TOPIC): Promise<string> {
  const records = buildBatch([Buffer.from(text)], NO_PRODUCER);
  const { responses } = await client.ask(produceApi, 9, { acks: -1, timeoutMs, topicData: [{ name: topic, partitionData: [{ index: 0, records }] }] });
  return errorName(responses[0]!.partitionResponses[0]!.errorCode);
}

async function commit(client: KafkaClient, { groupId, memberId, generationId }: Member, offset: bigint): Promise<string> {
  const { topics } = await client.ask(offsetCommitApi, 8, {
    groupId, memberId, generationIdOrMemberEpoch: generationId, topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0, committedOffset: offset }] }],
  });
  return errorName(topics[0]!.partitions[0]!.errorCode);
}

/** An error, or the offset. */
async function committed(client: KafkaClient, { groupId }: Member, requireStable: boolean): Promise<string | bigint> {
  const { groups } = await client.ask(offsetFetchApi, 8, { groups: [{ groupId, topics: [{ name: TOPIC, partitionIndexes: [0] }] }], requireStable });
  return groups[0]!.errorCode === 0 ? groups[0]!.topics[0]!.partitions[0]!.committedOffset : errorName(groups[0]!.errorCode);
}

async function texts(port: number): Promise<string[]> {
  return (await readPartition(port, TOPIC, 0)).map(({ value }) => value.toString());
}

interface Scene {
  readonly disk: StallingDisk;
  readonly broker: BrokerProcess;
  /** A group of two, whose sessions are far shorter than the disk stands still. */
  readonly seats: readonly Seat[];
  /** A connection of its own: one on which something waits holds back what comes after it. */
  connect(): Promise<KafkaClient>;
}

/** Produces to the busy topic, and sends the group's heartbeats, until it is told to end. */
class Traffic {
  #isOver = false;
  #produced = 0;
  readonly #all: Promise<unknown>;

  constructor(writer: KafkaClient, seats: readonly Seat[]) {
    this.#all = Promise.all([
      this.#repeat(async () => {
        assert.equal(await produce(writer, 120_000, 'busy', BUSY_TOPIC), 'NONE');
        this.#produced += 1;
      }),
      this.#repeat(async () => {
        await Promise.all(seats.map(beat));
        await delay(BEAT_EVERY_MS);
      }),
    ]);
    this.#all.catch(() => {});
  }

  async begun(): Promise<void> {
    while (this.#produced < 100) await Promise.race([this.#all, delay(5)]);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#all;
  }

  async #repeat(step: () => Promise<void>): Promise<void> {
    while (!this.#isOver) await step();
  }
}

async function onStallingDisk(context: TestContext, kind: DiskKind, durability: string, live: (scene: Scene) => Promise<void>): Promise<void> {
  const disk = mountedOrSkipped(context, () => new StallingDisk(kind));
  if (disk === undefined) return;
  const broker = await startBroker({
    kind: 'sluice', dataDirectory: join(disk.path, 'data'),
    properties: {
      'sluice.durability': durability, 'offsets.topic.num.partitions': '1', 'group.min.session.timeout.ms': '1000', 'group.initial.rebalance.delay.ms': '500',
      'offsets.commit.timeout.ms': '1000',
    },
  }).catch((error: unknown) => {
    disk.dispose();
    throw error;
  });
  const clients: KafkaClient[] = [];
  const connect = async () => {
    clients.push(await KafkaClient.connect(broker.port));
    return clients.at(-1)!;
  };
  try {
    for (const topic of [TOPIC, BUSY_TOPIC]) await createTopicRaw(broker.port, topic, 1);
    const seats = await joinBoth([await connect(), await connect()]);
    await live({ disk, broker, seats, connect });
    // In the generation that they had.
    await Promise.all(seats.map(beat));
    assert.doesNotMatch(broker.output, /offline/);
    assert.equal(await broker.stop(), 0, broker.output);
  } catch (error) {
    console.log(broker.output.split('\n').slice(-40).join('\n'));
    throw error;
  } finally {
    disk.goOn();
    for (const client of clients) client.close();
    await broker.dispose();
    disk.dispose();
  }
}

async function othersGoOn({ disk, broker, seats, connect }: Scene): Promise<void> {
  const [writer, maker, committer, patient, careful] = await Promise.all([connect(), connect(), connect(), connect(), connect()]);
  const { member } = seats[0]!;
  assert.equal(await produce(writer, 30_000, 'before'), 'NONE');
  assert.equal(await commit(committer, member, 1n), 'NONE');
  const traffic = new Traffic(await connect(), seats);
  await traffic.begun();

  disk.stall();
  const longProduce = produce(patient, 120_000, 'patient');
  const answers = Promise.all([
    produce(writer, 1000, 'impatient'),
    commit(committer, member, 2n).then(async (answer) => [answer, await committed(careful, member, true)]),
    maker.ask(createTopicsApi, 7, { topics: [{ name: 'made-meanwhile', numPartitions: 1, replicationFactor: 1 }], timeoutMs: 1000 }).then(({ topics }) => errorName(topics[0]!.errorCode)),
  ]);
  // Whatever does not need the disk is answered while it stands still.
  const reader = await connect();
  const asked = new GroupClient(reader);
  for (const until = performance.now() + STALL_MS; performance.now() < until;) {
    const { topics } = await reader.ask(metadataApi, 12, { topics: [{ name: TOPIC }] });
    assert.equal(errorName(topics[0]!.errorCode), 'NONE');
    assert.deepEqual(await texts(broker.port), ['before']);
    assert.equal(await committed(reader, member, false), 1n);
    for (const each of seats) await beat({ ...each, group: asked });
    await delay(BEAT_EVERY_MS);
  }
  assert.deepEqual(await answers, ['REQUEST_TIMED_OUT', ['COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR'], 'REQUEST_TIMED_OUT']);

  disk.goOn();
  await traffic.end();
  assert.equal(await longProduce, 'NONE');
  assert.equal(await produce(writer, 30_000, 'after'), 'NONE');
  assert.equal(await commit(committer, member, 3n), 'NONE');
  assert.equal(await committed(careful, member, true), 3n);
  // What timed out was on its way, and need not have been in vain.
  assert.deepEqual((await texts(broker.port)).filter((text) => text !== 'impatient'), ['before', 'patient', 'after']);
}

/** A write into the page cache that waits for the file system's journal may hold up everybody; members are not blamed for it. */
async function nobodyIsLost({ disk, seats, connect }: Scene): Promise<void> {
  const traffic = new Traffic(await connect(), seats);
  await traffic.begun();
  disk.stall();
  await delay(STALL_MS);
  disk.goOn();
  await traffic.end();
}

for (const kind of ['ext4', 'xfs'] satisfies DiskKind[]) {
  test(`a disk that stands still keeps nobody waiting who does not need it (${kind})`, { timeout: TEST_TIMEOUT_MS }, (context) => onStallingDisk(context, kind, 'fsync', othersGoOn));
  test(`no group rebalances because a disk stands still, in mode os either (${kind})`, { timeout: TEST_TIMEOUT_MS }, (context) => onStallingDisk(context, kind, 'os', nobodyIsLost));
}
