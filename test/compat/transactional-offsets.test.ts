// Offsets that a producer committed to Apache Kafka in transactions, some of which ended and some not: Sluice on the same directory tells the same of them.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createTopicsApi, findCoordinatorApi, initProducerIdApi, offsetFetchApi } from '../../src/protocol/index.js';
import { type Api, type RequestInput, type ResponseOf, defineApi } from '../../src/protocol/api.js';
import { type FieldTable } from '../../src/protocol/schema.js';
import { errorName } from '../../src/protocol/errors.js';
import { type BrokerProcess, startBroker } from '../support/broker.js';
import { KafkaClient } from '../support/kafka-client.js';
import { makeTempDirectory, removeDirectory } from '../support/temp.js';
import { assertNoDamage } from '../support/verify.js';

/** What Sluice does not serve, as far as it is needed here. */
const addOffsetsApi = defineApi({
  key: 25, name: 'AddOffsetsToTxn', versions: '2', flexible: '3+',
  request: {
    transactionalId: { type: 'string', versions: '0+' }, producerId: { type: 'int64', versions: '0+' },
    producerEpoch: { type: 'int16', versions: '0+' }, groupId: { type: 'string', versions: '0+' },
  },
  response: { throttleTimeMs: { type: 'int32', versions: '0+' }, errorCode: { type: 'int16', versions: '0+' } },
});
const endTransactionApi = defineApi({
  key: 26, name: 'EndTxn', versions: '2', flexible: '3+',
  request: {
    transactionalId: { type: 'string', versions: '0+' }, producerId: { type: 'int64', versions: '0+' },
    producerEpoch: { type: 'int16', versions: '0+' }, committed: { type: 'bool', versions: '0+' },
  },
  response: { throttleTimeMs: { type: 'int32', versions: '0+' }, errorCode: { type: 'int16', versions: '0+' } },
});
const commitInTransactionApi = defineApi({
  key: 28, name: 'TxnOffsetCommit', versions: '2', flexible: '3+',
  request: {
    transactionalId: { type: 'string', versions: '0+' }, groupId: { type: 'string', versions: '0+' },
    producerId: { type: 'int64', versions: '0+' }, producerEpoch: { type: 'int16', versions: '0+' },
    topics: { type: '[]struct', versions: '0+', of: {
      name: { type: 'string', versions: '0+' },
      partitions: { type: '[]struct', versions: '0+', of: {
        partitionIndex: { type: 'int32', versions: '0+' }, committedOffset: { type: 'int64', versions: '0+' },
        committedLeaderEpoch: { type: 'int32', versions: '2+' }, committedMetadata: { type: 'string', versions: '0+', nullable: '0+' },
      } },
    } },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '0+' },
    topics: { type: '[]struct', versions: '0+', of: {
      name: { type: 'string', versions: '0+' },
      partitions: { type: '[]struct', versions: '0+', of: { partitionIndex: { type: 'int32', versions: '0+' }, errorCode: { type: 'int16', versions: '0+' } } },
    } },
  },
});

const GROUP = 'exactly-once';
const TOPIC = 'read';

/** Coordinators load, and transactions end, in their own time; one that does not within this many rounds never will. */
const ROUNDS = 6000;
const PAUSE_MS = 20;
const AGAIN = new Set(['COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR', 'CONCURRENT_TRANSACTIONS', 'UNKNOWN_TOPIC_OR_PARTITION']);

async function ask<Q extends FieldTable, S extends FieldTable>(
  client: KafkaClient, api: Api<Q, S>, version: number, request: RequestInput<Api<Q, S>>, codeOf: (answer: ResponseOf<Api<Q, S>>) => number,
): Promise<ResponseOf<Api<Q, S>>> {
  for (let round = 0; ; round += 1) {
    const answer = await client.ask(api, version, request);
    const error = errorName(codeOf(answer));
    if (error === 'NONE') return answer;
    assert.ok(AGAIN.has(error) && round < ROUNDS, `${api.name}: ${error}`);
    await delay(PAUSE_MS);
  }
}

interface Producer {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

class Transaction {
  readonly #client: KafkaClient;
  readonly #of: Producer;

  private constructor(client: KafkaClient, of: Producer) {
    this.#client = client;
    this.#of = of;
  }

  static async begin(client: KafkaClient, transactionalId: string): Promise<Transaction> {
    await ask(client, findCoordinatorApi, 3, { key: transactionalId, keyType: 1 }, (answer) => answer.errorCode);
    const { producerId, producerEpoch } =
      await ask(client, initProducerIdApi, 2, { transactionalId, transactionTimeoutMs: 900_000 }, (answer) => answer.errorCode);
    const of = { transactionalId, producerId, producerEpoch };
    await ask(client, addOffsetsApi, 2, { ...of, groupId: GROUP }, (answer) => answer.errorCode);
    return new Transaction(client, of);
  }

  async commit(partitionIndex: number, offset: number): Promise<void> {
    const partitions = [{ partitionIndex, committedOffset: BigInt(offset), committedLeaderEpoch: -1, committedMetadata: `at ${offset}` }];
    await ask(this.#client, commitInTransactionApi, 2, { ...this.#of, groupId: GROUP, topics: [{ name: TOPIC, partitions }] },
      ({ topics }) => topics[0]!.partitions[0]!.errorCode);
  }

  async end(committed: boolean): Promise<void> {
    await ask(this.#client, endTransactionApi, 2, { ...this.#of, committed }, (answer) => answer.errorCode);
  }
}

async function offsets(client: KafkaClient) {
  const told: unknown[] = [];
  for (const requireStable of [false, true]) {
    for (const topics of [null, [{ name: TOPIC, partitionIndexes: [0, 1, 2, 3, 4, 5] }]]) {
      const { groups } = await ask(client, offsetFetchApi, 8, { requireStable, groups: [{ groupId: GROUP, topics }] }, (answer) => answer.groups[0]!.errorCode);
      for (const { partitions } of groups[0]!.topics) {
        told.push(partitions.map(({ partitionIndex, committedOffset, metadata, errorCode }) => `${partitionIndex}: ${committedOffset} '${metadata}' ${errorName(errorCode)}`).sort());
      }
    }
  }
  return told;
}

/** Transactions end when their markers are written, which is a little after the client was told so. */
async function settled(client: KafkaClient, isDone: (told: string) => boolean): Promise<unknown[]> {
  for (let round = 0; ; round += 1) {
    const told = await offsets(client);
    // Each of its parts was asked at another moment: only what is asked from here on is of one state.
    if (isDone(JSON.stringify(told))) return offsets(client);
    assert.ok(round < ROUNDS, JSON.stringify(told));
    await delay(PAUSE_MS);
  }
}

async function connected<T>(broker: BrokerProcess, use: (client: KafkaClient) => Promise<T>): Promise<T> {
  const client = await KafkaClient.connect(broker.port);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

test('offsets of transactions that ended, well or not, and of one that did not', async (context) => {
  const work = makeTempDirectory('transactions');
  context.after(() => removeDirectory(work));
  const dataDirectory = join(work, 'data');
  const kafka = await startBroker({ kind: 'kafka', dataDirectory });
  context.after(() => kafka.dispose());
  const expected = await connected(kafka, async (client) => {
    await client.ask(createTopicsApi, 5, { topics: [{ name: TOPIC, numPartitions: 6, replicationFactor: 1 }] });
    await ask(client, findCoordinatorApi, 3, { key: GROUP, keyType: 0 }, (answer) => answer.errorCode);
    const [well, badly, open, next] = [
      await Transaction.begin(client, 'well'), await Transaction.begin(client, 'badly'), await Transaction.begin(client, 'open'), await Transaction.begin(client, 'next'),
    ];
    await well.commit(0, 10);
    await badly.commit(1, 11);
    await open.commit(2, 12);
    await next.commit(0, 20);
    await well.commit(3, 13);
    await open.commit(3, 33);
    await badly.commit(4, 14);
    await next.end(true);
    await well.end(true);
    await badly.end(false);
    return settled(client, (told) => told.includes("3: 13 'at 13' NONE") && told.includes("0: 20 'at 20' NONE") && !told.includes('1: -1 \'\' UNSTABLE'));
  });
  assert.match(JSON.stringify(expected), /2: -1 '' UNSTABLE_OFFSET_COMMIT/);
  await kafka.stop();
  await assertNoDamage(dataDirectory, { clean: true });
  for (const turn of ['taken over', 'started again']) {
    const sluice = await startBroker({ kind: 'sluice', dataDirectory });
    context.after(() => sluice.dispose());
    assert.deepEqual(await connected(sluice, offsets), expected, turn);
    assert.doesNotMatch(sluice.output, /could not be loaded/);
    await sluice.stop();
  }
});
