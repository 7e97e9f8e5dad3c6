// A client of groups that says exactly what it is told to, in the version it is told to.
import assert from 'node:assert/strict';
import { errorName } from '../../../src/protocol/errors.js';
import { type RequestInput } from '../../../src/protocol/api.js';
import { findCoordinatorApi } from '../../../src/protocol/messages/10-find-coordinator.js';
import { joinGroupApi } from '../../../src/protocol/messages/11-join-group.js';
import { heartbeatApi } from '../../../src/protocol/messages/12-heartbeat.js';
import { leaveGroupApi } from '../../../src/protocol/messages/13-leave-group.js';
import { syncGroupApi } from '../../../src/protocol/messages/14-sync-group.js';
import { consumerProtocolSubscription } from '../../../src/protocol/consumer/index.js';
import { Writer } from '../../../src/protocol/writer.js';
import { topicName } from './names.js';
import { type Target } from './target.js';

export interface Member {
  readonly groupId: string;
  readonly memberId: string;
  readonly generationId: number;
}

const LOADING = ['COORDINATOR_LOAD_IN_PROGRESS', 'COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR'];

export function subscription(...topics: string[]): Buffer {
  const writer = new Writer();
  writer.int16(0, 'version');
  consumerProtocolSubscription.write(writer, 0, { topics });
  return writer.finish();
}

/** Whoever can be asked: a broker that is tested, or one connection to it. */
type Asked = Pick<Target, 'ask' | 'askRaw'>;

export class GroupClient {
  readonly target: Asked;

  constructor(target: Asked) {
    this.target = target;
  }

  /** A name that no other test uses, of a group whose coordinator is ready: Kafka takes its time to load. */
  async newGroup(): Promise<string> {
    const groupId = topicName('group');
    for (let i = 0; i < 5000; i += 1) {
      const found = await this.target.ask(findCoordinatorApi, 3, { key: groupId, keyType: 0 });
      if (found.errorCode !== 0) continue;
      const { errorCode } = await this.target.ask(syncGroupApi, 3, { groupId, memberId: 'nobody', generationId: 1 });
      if (!LOADING.includes(errorName(errorCode))) return groupId;
    }
    throw new Error('no coordinator');
  }

  join(version: number, request: RequestInput<typeof joinGroupApi>) {
    return this.target.ask(joinGroupApi, version, joinRequest(request));
  }

  /** On a connection of its own: one that waits holds back what comes after it. */
  joinAside(version: number, request: RequestInput<typeof joinGroupApi>) {
    return this.target.askRaw(joinGroupApi, version, joinGroupApi.request.encode(version, joinRequest(request)));
  }

  /** Alone in its group, which has not synced yet. */
  async joinAlone(groupId: string, options: RequestInput<typeof joinGroupApi> = {}): Promise<Member> {
    let { errorCode, memberId, generationId } = await this.join(9, { groupId, ...options });
    if (errorName(errorCode) === 'MEMBER_ID_REQUIRED') {
      ({ errorCode, memberId, generationId } = await this.join(9, { groupId, memberId, ...options }));
    }
    assert.equal(errorName(errorCode), 'NONE');
    return { groupId, memberId, generationId };
  }

  async stable(groupId: string, options: RequestInput<typeof joinGroupApi> = {}): Promise<Member> {
    const member = await this.joinAlone(groupId, options);
    const protocolType = options.protocolType ?? 'consumer';
    const protocolName = options.protocols?.[0]?.name ?? 'range';
    const { errorCode } = await this.sync(5, {
      ...member, groupInstanceId: options.groupInstanceId ?? null, protocolType, protocolName,
      assignments: [{ memberId: member.memberId, assignment: Buffer.from('mine') }],
    });
    assert.equal(errorName(errorCode), 'NONE');
    return member;
  }

  sync(version: number, request: RequestInput<typeof syncGroupApi>) {
    return this.target.ask(syncGroupApi, version, request);
  }

  async heartbeat(version: number, request: RequestInput<typeof heartbeatApi>): Promise<string> {
    return errorName((await this.target.ask(heartbeatApi, version, request)).errorCode);
  }

  leave({ groupId, memberId }: Member) {
    return this.target.ask(leaveGroupApi, 5, { groupId, members: [{ memberId, groupInstanceId: null, reason: 'the test is over' }] });
  }
}

function joinRequest(request: RequestInput<typeof joinGroupApi>): RequestInput<typeof joinGroupApi> {
  return {
    sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscription('read') }], ...request,
  };
}
