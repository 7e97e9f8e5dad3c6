// Holds a conversation with two brokers at once, the second of which is Apache Kafka, or with one alone beside what Kafka answered before.
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import {
  createTopicsApi, deleteGroupsApi, deleteTopicsApi, describeClusterApi, describeConfigsApi, describeGroupsApi, findCoordinatorApi, incrementalAlterConfigsApi, initProducerIdApi, leaveGroupApi, listGroupsApi,
  metadataApi, offsetFetchApi,
} from '../../../src/protocol/index.js';
import { type Shown, Side, type Step } from './side.js';

const BARRIER = 'conversation-barrier';
const INTERNAL = '__consumer_offsets';
const ROUNDS = 20;
const PAUSE_MS = 25;

const pause = () => new Promise((resolve) => void setTimeout(resolve, PAUSE_MS));

/** Takes away what an earlier conversation left, and makes what all of them count on. */
export async function begin(side: Side): Promise<void> {
  const client = await side.connection();
  side.clusterId = (await client.ask(describeClusterApi, 0, {})).clusterId;
  for (let i = 0; ; i += 1) {
    const { errorCode } = await client.ask(findCoordinatorApi, 3, { key: 'any', keyType: 0 });
    const { groups } = errorCode === 0 ? await client.ask(offsetFetchApi, 8, { groups: [{ groupId: 'any', topics: null }] }) : { groups: [] };
    if (groups[0]?.errorCode === 0) break;
    if (i > 1000) throw new Error('no coordinator');
    await pause();
  }
  for (let i = 0; (await client.ask(initProducerIdApi, 0, { transactionalId: null, transactionTimeoutMs: 60_000 })).errorCode !== 0; i += 1) {
    if (i > 1000) throw new Error('no producer ids');
    await pause();
  }
  const listed = await client.ask(listGroupsApi, 3, {});
  const names = listed.groups.map(({ groupId }) => groupId);
  const { groups } = await client.ask(describeGroupsApi, 5, { groups: names });
  for (const { groupId, members } of groups) {
    await client.ask(leaveGroupApi, 5, { groupId, members: members.map(({ memberId, groupInstanceId }) => ({ memberId, groupInstanceId })) });
  }
  await client.ask(deleteGroupsApi, 2, { groupsNames: names });
  const { topics } = await client.ask(metadataApi, 9, { topics: null });
  const old = topics.map(({ name }) => name!).filter((name) => name !== INTERNAL && name !== BARRIER);
  await client.ask(deleteTopicsApi, 5, { topicNames: old, timeoutMs: 30_000 });
  await client.ask(createTopicsApi, 5, { topics: [{ name: BARRIER, numPartitions: 1, replicationFactor: 1 }] });
  for (const resourceName of ['', '1']) {
    const { results } = await client.ask(describeConfigsApi, 4, { resources: [{ resourceType: 4, resourceName, configurationKeys: null }] });
    const set = results[0]!.configs.filter(({ configSource }) => configSource === (resourceName === '' ? 3 : 2));
    // With eligible leaders Kafka does not let go of the one that it wrote by itself.
    const configs = set.map(({ name }) => (name === 'min.insync.replicas' ? { name, value: '1', configOperation: 0 } : { name, value: null, configOperation: 1 }));
    await client.ask(incrementalAlterConfigsApi, 1, { resources: [{ resourceType: 4, resourceName, configs }] });
  }
  await settle(side);
}

let count = 0;

/** Kafka's broker learns of what its controller did a little later, and in order. */
export async function settle(side: Side): Promise<void> {
  const client = await side.connection();
  const value = String(1_000_000 + (count += 1));
  const resource = { resourceType: 2, resourceName: BARRIER };
  await client.ask(incrementalAlterConfigsApi, 1, { resources: [{ ...resource, configs: [{ name: 'retention.ms', value, configOperation: 0 }] }] });
  for (let i = 0; i < 5000; i += 1) {
    const { results } = await client.ask(describeConfigsApi, 4, { resources: [{ ...resource, configurationKeys: ['retention.ms'] }] });
    if (results[0]?.configs[0]?.value === value) return;
  }
  throw new Error('what was set does not show');
}

export interface Difference {
  readonly at: number;
  readonly note: string;
  readonly request: string;
  readonly ours: Shown;
  readonly kafka: Shown;
}

function shownRequest(step: Step, side: Side): string {
  return JSON.stringify(step.request(side), (_, value) => (typeof value === 'bigint' ? String(value) : Buffer.isBuffer(value) ? value.toString('latin1') : value));
}

/** What Kafka answered to each step; what Sluice answered otherwise goes to `onDifference`. */
export async function compare(steps: readonly Step[], ours: Side, kafka: Side, onDifference: (difference: Difference) => void): Promise<Shown[]> {
  const answers: Shown[] = [];
  for (const [at, step] of steps.entries()) {
    const request = shownRequest(step, kafka);
    const answer = await ours.ask(step);
    let expected = await kafka.ask(step);
    for (let round = 0; step.isRead && round < ROUNDS && !isDeepStrictEqual(answer, expected); round += 1) {
      await pause();
      expected = await kafka.ask(step);
    }
    if (!isDeepStrictEqual(answer, expected)) onDifference({ at, note: step.note, request, ours: answer, kafka: expected });
    if (!step.isRead) await settle(kafka);
    answers.push(expected);
  }
  return answers;
}

/** The same with what Kafka answered once. */
export async function replay(steps: readonly Step[], ours: Side, answers: readonly Shown[], shorten: (shown: Shown) => Shown): Promise<void> {
  assert.equal(answers.length, steps.length, 'what is kept is of another script: SLUICE_KEEP=1 keeps it anew, in test/compat');
  for (const [at, step] of steps.entries()) {
    const request = shownRequest(step, ours);
    assert.deepEqual(shorten(await ours.ask(step)), answers[at], `step ${at}, ${step.note}: ${request}`);
  }
}
