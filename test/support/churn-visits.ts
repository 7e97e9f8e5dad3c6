// Connections that come and go, some of them as they should not, and requests that only look or change a setting of the broker.
import { setTimeout as delay } from 'node:timers/promises';
import { configOperations } from '../../src/metadata/configs.js';
import { resourceTypes } from '../../src/metadata/image.js';
import {
  apiVersionsApi, describeConfigsApi, describeGroupsApi, describeLogDirsApi, fetchApi, incrementalAlterConfigsApi, listGroupsApi, listOffsetsApi, metadataApi, produceApi,
} from '../../src/protocol/index.js';
import { encodeRequest } from '../../src/protocol/headers.js';
import { someTopic } from './churn-group.js';
import { type ChurnWorld, connect, expectError } from './churn-world.js';
import { type Random } from './random.js';
import { RawConnection } from './wire.js';

export const VISIT_KINDS = ['many', 'half-sent', 'abandoned', 'unread', 'garbage', 'idle', 'look', 'setting'] as const;
export type VisitKind = (typeof VISIT_KINDS)[number];

const MAX_IDLE = 10;
const IDLE_LIMIT_MS = 120_000;
const MAX_CONNECTIONS = 20;
const PIPELINED = 200;
const PAUSE_MS = 100;
const LONG_WAIT_MS = 20_000;
const LATEST = -1n;

const HEADER = { correlationId: 1, clientId: 'visitor' } as const;
const versionsRequest = encodeRequest(apiVersionsApi, 0, HEADER, {});
const produceRequest = encodeRequest(produceApi, 9, HEADER, { acks: -1, timeoutMs: 1000, topicData: [{ name: 'nothing', partitionData: [{ index: 0, records: Buffer.alloc(10_000) }] }] });

/** Waits for whatever comes, and that it does. */
const waitingFetch = (topic: string) => encodeRequest(fetchApi, 11, HEADER, {
  maxWaitMs: LONG_WAIT_MS, minBytes: 1 << 20, maxBytes: 1 << 20, sessionId: 0, sessionEpoch: -1,
  topics: [{ topic, partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1 << 20 }] }],
});

const open = (world: ChurnWorld): Promise<RawConnection> => {
  world.counts.connections += 1;
  return RawConnection.open(world.port);
};

const visits: Readonly<Record<VisitKind, (world: ChurnWorld, random: Random) => Promise<void>>> = {
  async many(world, random) {
    const all = await Promise.all(Array.from({ length: 1 + random.below(MAX_CONNECTIONS) }, () => connect(world)));
    await Promise.all(all.filter(() => random.chance(0.5)).map((client) => client.ask(apiVersionsApi, 0, {})));
    for (const client of all) client.close();
  },

  async 'half-sent'(world, random) {
    const connection = await open(world);
    const request = random.pick([versionsRequest, produceRequest, waitingFetch(someTopic(world, random))]);
    connection.send(request.subarray(0, 1 + random.below(request.length - 1)));
    await delay(random.below(PAUSE_MS));
    if (random.chance(0.5)) connection.end();
    connection.destroy();
  },

  /** While its fetch waits. */
  async abandoned(world, random) {
    const connection = await open(world);
    connection.send(waitingFetch(someTopic(world, random)));
    await delay(random.below(PAUSE_MS));
    connection.destroy();
  },

  async unread(world, random) {
    const connection = await open(world);
    connection.send(Buffer.concat(Array.from({ length: PIPELINED }, () => versionsRequest)));
    await delay(random.below(PAUSE_MS));
    connection.destroy();
  },

  async garbage(world, random) {
    const connection = await open(world);
    connection.send(Buffer.concat([Buffer.alloc(4, 0xee), random.bytes(1 + random.below(300))]));
    await connection.closed();
  },

  /** Until the broker has enough of it, between requests or within one: that is not waited for here. */
  async idle(world, random) {
    if (world.idle.size >= MAX_IDLE) return;
    const connection = await open(world);
    if (random.chance(0.5)) connection.send(versionsRequest.subarray(0, 1 + random.below(versionsRequest.length - 1)));
    const ended = Promise.race([connection.closed().then(() => true), delay(IDLE_LIMIT_MS, false, { ref: false })]).then((isClosed) => {
      connection.destroy();
      world.idle.delete(ended);
      if (!isClosed) throw new Error(`a connection that does nothing is open after ${IDLE_LIMIT_MS} ms`);
    });
    ended.catch(() => {}); // told to who waits for it
    world.idle.add(ended);
  },

  async look(world, random) {
    const client = await connect(world);
    try {
      const name = someTopic(world, random);
      await client.ask(metadataApi, 9, { topics: random.chance(0.5) ? null : [{ name }], allowAutoTopicCreation: false });
      const { groups } = await client.ask(listGroupsApi, 4, {});
      await client.ask(describeGroupsApi, 5, { groups: groups.slice(0, 10).map(({ groupId }) => groupId) });
      await client.ask(describeConfigsApi, 4, { resources: [{ resourceType: resourceTypes.topic, resourceName: name, configurationKeys: null }], includeSynonyms: true });
      await client.ask(describeLogDirsApi, 4, { topics: null });
      await client.ask(listOffsetsApi, 5, { replicaId: -1, topics: [{ name, partitions: [{ partitionIndex: 0, timestamp: random.chance(0.5) ? LATEST : BigInt(Date.now() - 500) }] }] });
    } finally {
      client.close();
    }
  },

  async setting(world, random) {
    const client = await connect(world);
    try {
      const { brokers } = await client.ask(metadataApi, 9, { topics: [] });
      const [name, value] = random.pick([['log.cleaner.threads', '2'], ['message.max.bytes', '2000000'], ['log.cleaner.backoff.ms', '150'], ['max.connections.per.ip', '100000']] as const);
      const isSet = random.chance(0.6);
      const { responses } = await client.ask(incrementalAlterConfigsApi, 1, {
        resources: [{ resourceType: resourceTypes.broker, resourceName: String(brokers[0]?.nodeId), configs: [{ name, configOperation: isSet ? configOperations.set : configOperations.delete, value: isSet ? value : null }] }],
      });
      expectError(`IncrementalAlterConfigs of ${name}`, responses[0]?.errorCode, 'NONE');
    } finally {
      client.close();
    }
  },
};

export const visit = (world: ChurnWorld, random: Random, kind: VisitKind): Promise<void> => visits[kind](world, random);
