// A disk that does nothing for seconds, for real: requests that need it time out or wait, everything else goes on, and no group rebalances because of it.
// Needs root, to mount and freeze it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  createTopicsApi, errorName, fetchApi, findCoordinatorApi, heartbeatApi, joinGroupApi, metadataApi, offsetCommitApi, offsetFetchApi, produceApi, syncGroupApi,
} from '../../src/protocol/index.js';
import { subscription } from '../kafka/support/groups.js';
import { type BrokerProcess, startBroker } from '../support/broker.js';
import { type DiskKind } from '../support/disk-image.js';
import { KafkaClient } from '../support/kafka-client.js';
import { mountedOrSkipped } from '../support/mounts.js';
import { buildBatch, parseBatches } from '../support/record-batch.js';
import { StallingDisk } from '../support/stalling-disk.js';

const TEST_TIMEOUT_MS = 300_000;
const SESSION_MS = 2000;
/** More than two sessions. */
const STALL_MS = 5000;
const BEAT_EVERY_MS = 200;
const GROUP = 'steady';
const TOPIC = 'stalled';
const BUSY_TOPIC = 'busy';
const NO_PRODUCER = { producerId: -1n, producerEpoch: -1, baseSequence: -1 };

interface Member {
  readonly client: KafkaClient;
  readonly groupId: string;
  readonly memberId: string;
  readonly generationId: number;
}

async function untilNone(what: string, ask: () => Promise<number>): Promise<void> {
  for (let i = 0; ; i += 1) {
    const name = errorName(await ask());
    if (name === 'NONE') return;
    assert.ok(i < 1000, `${what}: ${name}`);
    await delay(10);
  }
}

async function joinBoth(port: number): Promise<Member[]> {
  const clients = await Promise.all([KafkaClient.connect(port, 'one'), KafkaClient.connect(port, 'two')]);
  await untilNone('FindCoordinator', async () => (await clients[0]!.ask(findCoordinatorApi, 3, { key: GROUP, keyType: 0 })).errorCode);
  const ids = ['', ''];
  const joinAs = async (i: number) => {
    for (;;) {
      const joined = await clients[i]!.ask(joinGroupApi, 9, {
        groupId: GROUP, memberId: ids[i]!, sessionTimeoutMs: SESSION_MS, rebalanceTimeoutMs: 60_000, protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: subscription(TOPIC) }],
      });
      ids[i] = joined.memberId;
      if (joined.errorCode === 0) return joined;
      assert.ok(['MEMBER_ID_REQUIRED', 'COORDINATOR_LOAD_IN_PROGRESS'].includes(errorName(joined.errorCode)), errorName(joined.errorCode));
    }
  };
  // Whoever is first may be alone in a generation; then the other's coming asks it to join again.
  let joined = await Promise.all([joinAs(0), joinAs(1)]);
  while (joined[0].generationId !== joined[1].generationId) {
    joined = joined[0].generationId < joined[1].generationId ? [await joinAs(0), joined[1]] : [joined[0], await joinAs(1)];
  }
  const members = joined.map(({ generationId }, i) => ({ client: clients[i]!, groupId: GROUP, memberId: ids[i]!, generationId }));
  await Promise.all(members.map(async ({ client, ...member }, i) => {
    const assignments = joined[i]!.leader === member.memberId ? ids.map((memberId) => ({ memberId, assignment: Buffer.from('some') })) : [];
    assert.equal(errorName((await client.ask(syncGroupApi, 5, { ...member, protocolType: 'consumer', protocolName: 'range', assignments })).errorCode), 'NONE');
  }));
  return members;
}

async function beat({ client, groupId, memberId, generationId }: Member): Promise<void> {
  assert.equal(errorName((await client.ask(heartbeatApi, 4, { groupId, memberId, generationId })).errorCode), 'NONE');
}

async function create(client: KafkaClient, name: string, timeoutMs: number): Promise<string> {
  const { topics } = await client.ask(createTopicsApi, 7, { topics: [{ name, numPartitions: 1, replicationFactor: 1 }], timeoutMs });
  return errorName(topics[0]!.errorCode);
}

async function produce(client: KafkaClient, timeoutMs: number, text: string, topic = TOPIC): Promise<string> {
  const records = buildBatch([Buffer.from(text)], NO_PRODUCER);
  const { responses } = await client.ask(produceApi, 9, { acks: -1, timeoutMs, topicData: [{ name: topic, partitionData: [{ index: 0, records }] }] });
  return errorName(responses[0]!.partitionResponses[0]!.errorCode);
}

async function commit({ client, groupId, memberId, generationId }: Member, offset: bigint): Promise<string> {
  const { topics } = await client.ask(offsetCommitApi, 8, {
    groupId, memberId, generationIdOrMemberEpoch: generationId, topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0, committedOffset: offset }] }],
  });
  return errorName(topics[0]!.partitions[0]!.errorCode);
}

async function fetched(client: KafkaClient): Promise<string[]> {
  const { responses } = await client.ask(fetchApi, 12, {
    maxWaitMs: 10, minBytes: 1, topics: [{ topic: TOPIC, partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1 << 20 }] }],
  });
  const partition = responses[0]!.partitions[0]!;
  assert.equal(errorName(partition.errorCode), 'NONE');
  return parseBatches(partition.records ?? Buffer.alloc(0)).map(({ value }) => value.toString());
}

interface Scene {
  readonly disk: StallingDisk;
  readonly broker: BrokerProcess;
  /** A group of two, whose sessions are far shorter than the disk stands still. */
  readonly members: readonly Member[];
  /** A connection of its own: one on which something waits holds back what comes after it. */
  connect(): Promise<KafkaClient>;
}

/** Produces to the busy topic, and sends the group's heartbeats, until it is told to end. */
class Traffic {
  #isOver = false;
  #produced = 0;
  readonly #all: Promise<unknown>;

  constructor(writer: KafkaClient, members: readonly Member[]) {
    this.#all = Promise.all([
      this.#repeat(async () => {
        assert.equal(await produce(writer, 120_000, 'busy', BUSY_TOPIC), 'NONE');
        this.#produced += 1;
      }),
      this.#repeat(async () => {
        await Promise.all(members.map(beat));
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
    const maker = await connect();
    for (const topic of [TOPIC, BUSY_TOPIC]) assert.equal(await create(maker, topic, 30_000), 'NONE');
    const members = await joinBoth(broker.port);
    clients.push(...members.map(({ client }) => client));
    await live({ disk, broker, members, connect });
    // In the generation that they had.
    await Promise.all(members.map(beat));
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

async function othersGoOn({ disk, members, connect }: Scene): Promise<void> {
  const [writer, maker, other, patient] = await Promise.all([connect(), connect(), connect(), connect()]);
  const committer = { ...members[0]!, client: other };
  assert.equal(await produce(writer, 30_000, 'before'), 'NONE');
  assert.equal(await commit(committer, 1n), 'NONE');
  const traffic = new Traffic(await connect(), members);
  await traffic.begun();

  disk.stall();
  const longProduce = produce(patient, 120_000, 'patient');
  const answers = Promise.all([produce(writer, 1000, 'impatient'), commit(committer, 2n), create(maker, 'made-meanwhile', 1000)]);
  // Whatever does not need the disk is answered while it stands still.
  const reader = await connect();
  for (const until = performance.now() + STALL_MS; performance.now() < until;) {
    const { topics } = await reader.ask(metadataApi, 12, { topics: [{ name: TOPIC }] });
    assert.equal(errorName(topics[0]!.errorCode), 'NONE');
    assert.deepEqual(await fetched(reader), ['before']);
    const { groups } = await reader.ask(offsetFetchApi, 8, { groups: [{ groupId: GROUP, topics: [{ name: TOPIC, partitionIndexes: [0] }] }] });
    assert.equal(groups[0]!.topics[0]!.partitions[0]!.committedOffset, 1n);
    await Promise.all(members.map(async (member) => beat({ ...member, client: reader })));
    await delay(BEAT_EVERY_MS);
  }
  assert.deepEqual(await answers, ['REQUEST_TIMED_OUT', 'COORDINATOR_NOT_AVAILABLE', 'REQUEST_TIMED_OUT']);

  disk.goOn();
  await traffic.end();
  assert.equal(await longProduce, 'NONE');
  assert.equal(await produce(writer, 30_000, 'after'), 'NONE');
  assert.equal(await commit(committer, 3n), 'NONE');
  // What timed out was on its way, and need not have been in vain.
  assert.deepEqual((await fetched(reader)).filter((text) => text !== 'impatient'), ['before', 'patient', 'after']);
}

/** A write into the page cache that waits for the file system's journal may hold up everybody; members are not blamed for it. */
async function nobodyIsLost({ disk, members, connect }: Scene): Promise<void> {
  const traffic = new Traffic(await connect(), members);
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
