// Random clients on random days: whatever they do, what must hold holds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Group } from '../../../src/coordinator/group.js';
import { type Response } from '../../../src/coordinator/machine.js';
import { type FetchOffsetsResponse, type JoinResponse } from '../../../src/coordinator/requests.js';
import { Random, testSeed } from '../../support/random.js';
import { type Call, World, shown, subscription } from './support/world.js';

const GROUPS = ['g0', 'g1', 'g2'];
const FAILURES = [15, 16, -1];
const PROTOCOLS = ['range', 'sticky', 'mine'];

interface Known {
  readonly groupId: string;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  generationId: number;
}

class Chaos {
  readonly world: World;
  readonly #random: Random;
  readonly #calls: Call<Response>[] = [];
  /** What clients believe about themselves; some of it is out of date. */
  readonly #known: Known[] = [];
  readonly #joins: { readonly call: Call<JoinResponse>; readonly groupId: string; readonly groupInstanceId: string | null }[] = [];
  readonly #generations = new WeakMap<Group, number>();

  constructor(random: Random) {
    this.#random = random;
    this.world = new World({ maxGroupSize: 6, initialRebalanceDelayMs: random.pick([0, 100, 3000]) });
    this.world.isLogHeld = true;
  }

  step(): void {
    const random = this.#random;
    const { world } = this;
    const act = random.below(100);
    if (act < 25) this.#join();
    else if (act < 40) this.#sync();
    else if (act < 55) this.#heartbeat();
    else if (act < 60) this.#leave();
    else if (act < 70) this.#commit();
    else if (act < 73) this.#ask('fetchOffsets', { groupId: random.pick(GROUPS), topics: null, requireStable: true });
    else if (act < 74) this.#ask('deleteGroups', [random.pick(GROUPS), random.pick(GROUPS)]);
    else if (act < 76) this.#deleteOffsets();
    else if (act < 77) world.handle({ kind: 'expire' });
    else if (act < 78) world.handle({ kind: 'topicsDeleted', topics: [{ id: 'x', name: 't' }], isCertain: random.chance(0.5) });
    else if (act < 88) world.advance(random.below(random.chance(0.1) ? 60_000 : 3000));
    else if (world.held.length > 0) world.settle(random.chance(0.1) ? random.pick(FAILURES) : 0);
    this.#learn();
    this.check();
  }

  #ask(kind: Parameters<World['ask']>[0], request: unknown, version?: number): Call<Response> {
    const call = this.world.ask<never, Response>(kind as never, request as never, version as never);
    this.#calls.push(call);
    return call;
  }

  #who(): Known {
    const random = this.#random;
    const one = this.#known.length === 0 || random.chance(0.05)
      ? { groupId: random.pick(GROUPS), memberId: 'stranger', groupInstanceId: null, generationId: random.below(3) }
      : this.#known[Math.max(0, this.#known.length - 1 - random.below(12))]!;
    return random.chance(0.05) ? { ...one, generationId: one.generationId - 1 } : one;
  }

  #join(): void {
    const random = this.#random;
    const isNew = random.chance(0.5);
    const { groupId, memberId, groupInstanceId } = isNew
      ? { groupId: random.pick(GROUPS), memberId: '', groupInstanceId: random.chance(0.4) ? `i${random.below(3)}` : null }
      : this.#who();
    const names = PROTOCOLS.filter(() => random.chance(0.7));
    const call = this.#ask('join', {
      groupId, memberId, groupInstanceId,
      sessionTimeoutMs: random.pick([6000, 10_000]),
      rebalanceTimeoutMs: random.pick([0, 1000, 20_000]),
      protocolType: random.chance(0.97) ? 'consumer' : 'connect',
      protocols: ['common', ...names].map((name) => ({ name, metadata: subscription(random.pick(['t', 'u'])) })),
      reason: null,
    }, random.pick([3, 5, 8, 9]));
    this.#joins.push({ call: call as Call<JoinResponse>, groupId, groupInstanceId });
  }

  #sync(): void {
    const { groupId, memberId, groupInstanceId, generationId } = this.#who();
    const members = [...(this.world.shard.get(groupId)?.members.keys() ?? [])];
    this.#ask('sync', {
      groupId, memberId, groupInstanceId, generationId, protocolType: 'consumer', protocolName: null,
      assignments: members.map((id) => ({ memberId: id, assignment: this.#random.bytes(this.#random.below(4)) })),
    });
  }

  #heartbeat(): void {
    const { groupId, memberId, groupInstanceId, generationId } = this.#who();
    assert.ok(this.#ask('heartbeat', { groupId, memberId, groupInstanceId, generationId }).isAnswered, 'heartbeats never wait');
  }

  #leave(): void {
    const members = Array.from({ length: 1 + this.#random.below(2) }, () => this.#who());
    const { groupId } = members[0]!;
    this.#ask('leave', {
      groupId,
      members: members.map(({ memberId, groupInstanceId }) =>
        ({ memberId: groupInstanceId !== null && this.#random.chance(0.5) ? '' : memberId, groupInstanceId, reason: null })),
    });
  }

  #commit(): void {
    const random = this.#random;
    const { groupId, memberId, groupInstanceId, generationId } = this.#who();
    const isAlone = random.chance(0.3);
    this.#ask('commitOffsets', {
      groupId,
      memberId: isAlone ? '' : memberId,
      groupInstanceId: isAlone ? null : groupInstanceId,
      generationId: isAlone ? -1 : generationId,
      retentionTimeMs: -1n,
      topics: [{
        name: random.pick(['t', 'u']),
        topicId: random.pick(['AAAAAAAAAAAAAAAAAAAAAA', 'x'.padEnd(21, 'A') + 'A']),
        partitions: [{ partitionIndex: random.below(3), committedOffset: BigInt(random.below(1000)), committedLeaderEpoch: 0, committedMetadata: null }],
      }],
    });
  }

  #deleteOffsets(): void {
    const random = this.#random;
    const partitions = [0, 1, 2].filter(() => random.chance(0.5)).map((partitionIndex) => ({ partitionIndex }));
    this.#ask('deleteOffsets', { groupId: random.pick(GROUPS), topics: [{ name: random.pick(['t', 'u']), partitions }] });
  }

  /** Clients read their answers. */
  #learn(): void {
    for (const join of this.#joins.splice(0)) {
      if (!join.call.isAnswered) {
        this.#joins.push(join);
        continue;
      }
      const { memberId, generationId } = join.call.response;
      if (memberId !== '') this.#known.push({ ...join, memberId, generationId });
    }
    if (this.#known.length > 100) this.#known.splice(0, 50);
  }

  check(): void {
    const { world } = this;
    let timers = 0;
    let bytes = 0;
    let groups = 0;
    for (const groupId of GROUPS) {
      const group = world.shard.get(groupId);
      if (group === undefined) continue;
      groups += 1;
      timers += this.#checkGroup(group);
      for (const member of group.members.values()) bytes += member.bytes;
    }
    assert.equal(world.shard.counts.timers, timers, 'every timer belongs to somebody who is there');
    assert.equal(world.usage.memberBytes, bytes);
    assert.equal(world.usage.groups, groups);
    assert.equal(world.shard.counts.writes, world.held.length);
    for (const call of this.#calls) assert.ok(call.answers <= 1, 'nothing is answered twice');
  }

  /** Returns how many timers it has set. */
  #checkGroup(group: Group): number {
    const members = [...group.members.values()];
    assert.ok(group.generationId >= (this.#generations.get(group) ?? 0), 'generations never go back');
    this.#generations.set(group, group.generationId);
    assert.equal(group.leaderId === null, members.length === 0, 'a leader when there is somebody to lead');
    assert.ok(group.leaderId === null || group.members.has(group.leaderId), 'the leader is a member');
    assert.equal(group.awaitingJoin, members.filter(({ joinTicket }) => joinTicket !== null).length);
    assert.equal(group.staticMembers.size, members.filter(({ groupInstanceId }) => groupInstanceId !== null).length);
    for (const [instanceId, memberId] of group.staticMembers) assert.equal(group.members.get(memberId)?.groupInstanceId, instanceId);
    assert.ok(group.state !== 'Dead', 'the dead are not kept');
    assert.equal(group.state === 'Empty' && members.length > 0, false);
    if (group.state === 'CompletingRebalance' || group.state === 'Stable') assert.ok(members.length > 0);
    if (group.state === 'PreparingRebalance') assert.ok(group.joinTimer.isSet, 'no rebalance waits for ever');
    if (group.state === 'CompletingRebalance') {
      const leader = group.members.get(group.leaderId!)!;
      assert.ok(group.syncTimer.isSet || leader.syncTicket !== null, 'no assignment is awaited for ever');
    }
    for (const memberId of group.pendingSync) assert.ok(group.members.has(memberId));
    for (const member of members) {
      if (member.syncTicket !== null) assert.equal(group.state, 'CompletingRebalance');
      if (member.joinTicket !== null) {
        assert.ok(group.state === 'PreparingRebalance' || (group.state === 'Stable' && group.writesUnderway > 0), group.state);
      }
      const isWaiting = member.joinTicket !== null || member.syncTicket !== null;
      assert.ok(member.session.isSet || isWaiting, 'no member stays for ever unheard of');
    }
    for (const [memberId, timer] of group.pendingMembers) {
      assert.ok(timer.isSet);
      assert.equal(group.members.has(memberId), false);
    }
    const own = [group.joinTimer, group.syncTimer, ...group.pendingMembers.values(), ...members.map(({ session }) => session)];
    return own.filter(({ isSet }) => isSet).length;
  }

  /** The log alone makes the same of every group that has come to rest. */
  checkAgainstLog(): void {
    const { world } = this;
    world.isLogHeld = false;
    world.settleAll();
    const other = new World();
    other.log.push(...world.log);
    other.restart();
    for (const groupId of GROUPS) {
      const all = { groupId, topics: null, requireStable: false };
      const here = world.ask<'fetchOffsets', FetchOffsetsResponse>('fetchOffsets', all).response;
      const there = other.ask<'fetchOffsets', FetchOffsetsResponse>('fetchOffsets', all).response;
      assert.deepEqual(Object.entries(shown(here)).sort(), Object.entries(shown(there)).sort());
      const group = world.shard.seen(groupId);
      const replayed = other.shard.seen(groupId);
      if (group === undefined || replayed === undefined) {
        assert.equal(replayed, undefined, 'what is in the log is in memory');
        assert.ok(group === undefined || (group.state !== 'Stable' && here.topics.length === 0), 'only what nobody has been told of');
        continue;
      }
      if (group.state !== 'Stable') continue;
      assert.equal(replayed.state, 'Stable');
      assert.equal(replayed.generationId, group.generationId);
      assert.equal(replayed.protocolName, group.protocolName);
      const members = ({ members }: Group) => Object.fromEntries([...members.values()].map(({ memberId, assignment }) => [memberId, assignment.toString('hex')]));
      assert.deepEqual(members(replayed), members(group));
    }
    world.isLogHeld = true;
  }

  /** Everybody goes silent: what waits is answered, and nothing stays but offsets. */
  finish(): void {
    const { world } = this;
    world.isLogHeld = false;
    world.settleAll();
    for (let minute = 0; minute < 15; minute++) world.advance(60_000);
    this.check();
    for (const call of this.#calls) assert.equal(call.answers, 1, 'everything is answered once');
    assert.equal(world.shard.counts.timers, 0);
    assert.equal(world.usage.memberBytes, 0);
    world.now = { ...world.now, wallMs: world.now.wallMs + 8 * 24 * 3_600_000 };
    world.handle({ kind: 'expire' });
    assert.deepEqual(world.shard.counts, { groups: 0, timers: 0, writes: 0, offsets: 0 });
    world.restart();
    assert.deepEqual(world.shard.counts, { groups: 0, timers: 0, writes: 0, offsets: 0 });
  }
}

test('random clients, a log that is slow and sometimes fails', (context) => {
  const seed = testSeed();
  context.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  for (let round = 0; round < 20; round++) {
    const chaos = new Chaos(random);
    for (let step = 0; step < 1000; step++) {
      chaos.step();
      if (step % 200 === 199) chaos.checkAgainstLog();
    }
    chaos.finish();
  }
});
