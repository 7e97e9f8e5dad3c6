// The life of a group: members that join, commit, leave or vanish; then it is deleted, or left until its offsets expire.
import { setTimeout as delay } from 'node:timers/promises';
import { deleteGroupsApi, findCoordinatorApi, heartbeatApi, joinGroupApi, leaveGroupApi, offsetCommitApi, offsetDeleteApi, offsetFetchApi, syncGroupApi } from '../../src/protocol/index.js';
import { subscription } from '../kafka/support/groups.js';
import { type ChurnWorld, connect, expectError, until } from './churn-world.js';
import { type KafkaClient } from './kafka-client.js';
import { Random } from './random.js';

/** No less than the broker's least, see churn-load.ts. */
export const SESSION_MS = 1000;
const REBALANCE_MS = 2000;
const MAX_MEMBERS = 5;
const MAX_BEATS = 6;
const PAUSE_MS = 40;
/** Of one member; more would be no progress. */
const MAX_JOINS = 200;
/** What sends a member back to join. */
const REJOIN = ['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'] as const;
const NOBODYS_TOPIC = 'churn-never-made';

interface Membership {
  readonly groupId: string;
  readonly memberId: string;
  readonly generationId: number;
  readonly groupInstanceId: string | null;
}

export async function liveGroup(world: ChurnWorld, random: Random, groupId: string): Promise<void> {
  await asClient(world, async (client) => {
    await until(`coordinator of ${groupId}`, async () => {
      const found = await client.ask(findCoordinatorApi, 3, { key: groupId, keyType: 0 });
      if (expectError('FindCoordinator', found.errorCode, 'NONE', 'COORDINATOR_NOT_AVAILABLE') !== 'NONE') return undefined;
      const { errorCode } = await client.ask(heartbeatApi, 4, { groupId, memberId: 'nobody', generationId: 1 });
      return expectError('Heartbeat of nobody', errorCode, 'UNKNOWN_MEMBER_ID', 'COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR') === 'UNKNOWN_MEMBER_ID' ? true : undefined;
    });
    world.counts.groups += 1;
    // Those who commit without being members, too.
    if (random.chance(0.3)) await commit(world, random, client, { groupId, memberId: '', generationId: -1, groupInstanceId: null });
  });
  await Promise.all(Array.from({ length: 1 + random.below(MAX_MEMBERS) }, () => liveMember(world, new Random(random.uint32()), groupId)));
  // Members that vanish hold each other up for longer than the broker leaves a connection open on which nothing comes.
  await asClient(world, async (client) => {
    if (random.chance(0.3)) await deleteOffset(world, random, client, groupId);
    if (random.chance(0.9)) await deleteGroup(client, groupId);
  });
}

async function asClient(world: ChurnWorld, work: (client: KafkaClient) => Promise<void>): Promise<void> {
  const client = await connect(world);
  try {
    await work(client);
  } finally {
    client.close();
  }
}

/** As soon as the last of its members is gone. */
export async function deleteGroup(client: KafkaClient, groupId: string): Promise<void> {
  await until(`DeleteGroups of ${groupId}`, async () => {
    const { results } = await client.ask(deleteGroupsApi, 2, { groupsNames: [groupId] });
    const name = expectError(`DeleteGroups of ${groupId}`, results[0]?.errorCode, 'NONE', 'NON_EMPTY_GROUP', 'GROUP_ID_NOT_FOUND');
    return name === 'NON_EMPTY_GROUP' ? undefined : true;
  }, { everyMs: 100 });
}

async function liveMember(world: ChurnWorld, random: Random, groupId: string): Promise<void> {
  const client = await connect(world, `member-${random.below(10)}`);
  try {
    const groupInstanceId = random.chance(0.2) ? `instance-${random.uint32()}` : null;
    let beats = 1 + random.below(MAX_BEATS);
    let memberId = '';
    let member: Membership | undefined;
    for (let joins = 0; beats > 0; joins += 1) {
      if (joins > MAX_JOINS) throw new Error(`a member of ${groupId} does not come to its end`);
      const joined = await client.ask(joinGroupApi, 9, {
        groupId, memberId, groupInstanceId, sessionTimeoutMs: SESSION_MS, rebalanceTimeoutMs: REBALANCE_MS, protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: subscription(someTopic(world, random)) }],
      });
      const outcome = expectError(`JoinGroup of ${groupId}`, joined.errorCode, 'NONE', 'MEMBER_ID_REQUIRED', ...REJOIN);
      memberId = outcome === 'UNKNOWN_MEMBER_ID' ? '' : joined.memberId;
      if (outcome !== 'NONE') continue;
      member = { groupId, memberId, generationId: joined.generationId, groupInstanceId };
      const assignments = joined.leader === memberId ? joined.members.map((each) => ({ memberId: each.memberId, assignment: Buffer.from('some') })) : [];
      const synced = await client.ask(syncGroupApi, 5, { ...member, protocolType: 'consumer', protocolName: 'range', assignments });
      const mayBeat = expectError(`SyncGroup of ${groupId}`, synced.errorCode, 'NONE', ...REJOIN);
      if (mayBeat === 'UNKNOWN_MEMBER_ID') memberId = '';
      if (mayBeat !== 'NONE') continue;
      world.counts.generations += 1;
      for (let goesOn = true; goesOn && beats > 0; beats -= 1) {
        const { errorCode } = await client.ask(heartbeatApi, 4, member);
        const beat = expectError(`Heartbeat of ${groupId}`, errorCode, 'NONE', ...REJOIN);
        if (beat === 'UNKNOWN_MEMBER_ID') memberId = '';
        goesOn = beat === 'NONE';
        if (goesOn) await commit(world, random, client, member);
        await delay(random.below(PAUSE_MS));
      }
    }
    if (member === undefined || random.chance(0.3)) {
      world.counts.vanished += 1;
      return;
    }
    const left = await client.ask(leaveGroupApi, 5, { groupId, members: [{ memberId: member.memberId, groupInstanceId, reason: 'done' }] });
    expectError(`LeaveGroup of ${groupId}`, left.errorCode, 'NONE', 'UNKNOWN_MEMBER_ID');
    expectError(`LeaveGroup of ${groupId}`, left.members[0]?.errorCode ?? 0, 'NONE', 'UNKNOWN_MEMBER_ID');
  } finally {
    client.close();
  }
}

/** One that may be gone when the request comes. */
export function someTopic(world: ChurnWorld, random: Random): string {
  return world.topics.size === 0 ? NOBODYS_TOPIC : random.pick([...world.topics]);
}

async function commit(world: ChurnWorld, random: Random, client: KafkaClient, member: Membership): Promise<void> {
  const { groupId, memberId, generationId, groupInstanceId } = member;
  const topic = someTopic(world, random);
  const { topics } = await client.ask(offsetCommitApi, 8, {
    groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generationId,
    topics: [{ name: topic, partitions: [0, 1].map((partitionIndex) => ({ partitionIndex, committedOffset: BigInt(random.below(1000)), committedMetadata: 'x'.repeat(random.below(100)) })) }],
  });
  for (const { errorCode } of topics[0]?.partitions ?? []) expectError(`OffsetCommit of ${groupId}`, errorCode, 'NONE', 'UNKNOWN_TOPIC_OR_PARTITION', ...REJOIN);
  if (!random.chance(0.3)) return;
  const { groups } = await client.ask(offsetFetchApi, 8, { groups: [{ groupId, topics: random.chance(0.5) ? null : [{ name: topic, partitionIndexes: [0, 1] }] }] });
  expectError(`OffsetFetch of ${groupId}`, groups[0]?.errorCode, 'NONE');
}

async function deleteOffset(world: ChurnWorld, random: Random, client: KafkaClient, groupId: string): Promise<void> {
  const { errorCode } = await client.ask(offsetDeleteApi, 0, { groupId, topics: [{ name: someTopic(world, random), partitions: [{ partitionIndex: 0 }] }] });
  expectError(`OffsetDelete of ${groupId}`, errorCode, 'NONE', 'NON_EMPTY_GROUP', 'GROUP_ID_NOT_FOUND');
}
