// One member of a group, as the coordinator knows it.
import { type Task } from './group.js';
import { type Protocol } from './requests.js';
import { Timer } from './timer-queue.js';

/** Names a request that has not been answered yet. */
export type Ticket = number;

export const EMPTY = Buffer.alloc(0);

/** Keeps what a member said apart from the request in which it came, which may be a slice of something large. */
export function keepProtocols(protocols: readonly Protocol[]): Protocol[] {
  const kept = new Map<string, Protocol>();
  for (const { name, metadata } of protocols) {
    if (!kept.has(name)) kept.set(name, { name, metadata: keepBytes(metadata) });
  }
  return [...kept.values()];
}

export function keepBytes(bytes: Buffer): Buffer {
  return bytes.length === 0 ? EMPTY : Buffer.from(bytes);
}

export interface MemberOptions {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  readonly protocols: readonly Protocol[];
  readonly assignment: Buffer;
}

export class Member {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  rebalanceTimeoutMs: number;
  sessionTimeoutMs: number;
  /** Each name once, most wanted first. */
  protocols: readonly Protocol[];
  assignment: Buffer;
  /** Its join or sync that waits for others. Changed by the group only, which counts them. */
  joinTicket: Ticket | null = null;
  syncTicket: Ticket | null = null;
  /** Has not been told yet that it belongs to the group, so that it cannot send heartbeats. */
  isNew = false;
  readonly session: Timer<Task>;

  constructor(options: MemberOptions, task: Task) {
    this.memberId = options.memberId;
    this.groupInstanceId = options.groupInstanceId;
    this.clientId = options.clientId;
    this.clientHost = options.clientHost;
    this.rebalanceTimeoutMs = options.rebalanceTimeoutMs;
    this.sessionTimeoutMs = options.sessionTimeoutMs;
    this.protocols = options.protocols;
    this.assignment = options.assignment;
    this.session = new Timer<Task>(task);
  }

  /** A member that waits for an answer is alive as far as we can know, unless nobody ever heard of it. */
  get isExcusedFromHeartbeats(): boolean {
    return !this.isNew && (this.joinTicket !== null || this.syncTicket !== null);
  }

  /** Its metadata for a protocol; empty when it does not support that. */
  metadataFor(protocolName: string | null): Buffer {
    return this.protocols.find(({ name }) => name === protocolName)?.metadata ?? EMPTY;
  }

  hasSameProtocols(protocols: readonly Protocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every(({ name, metadata }, at) => {
        const mine = this.protocols[at] as Protocol;
        return mine.name === name && mine.metadata.equals(metadata);
      })
    );
  }

  /** Subscriptions and assignment. */
  get bytes(): number {
    return this.protocols.reduce((sum, { name, metadata }) => sum + name.length + metadata.length, this.assignment.length);
  }
}
