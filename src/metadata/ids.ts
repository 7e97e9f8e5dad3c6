import { randomUUID } from 'node:crypto';
import { ZERO_UUID } from '../protocol/uuid.js';

/** The id of `__cluster_metadata`: the number one. */
export const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';
export const METADATA_TOPIC = '__cluster_metadata';

/** Directory ids with a meaning of their own: unassigned, lost, migrating. */
const RESERVED = new Set([ZERO_UUID, METADATA_TOPIC_ID, 'AAAAAAAAAAAAAAAAAAAAAg', 'AAAAAAAAAAAAAAAAAAAAZA']);

/** A random id in Kafka's text form. Like Kafka's, it never begins with a dash, which command lines would take for an option. */
export function randomId(): string {
  for (;;) {
    const id = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url');
    if (!id.startsWith('-') && !RESERVED.has(id)) return id;
  }
}

/** The number of a node as Java reads an int, or undefined. */
export function parseNodeId(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const id = Number(text);
  return id === (id | 0) ? id : undefined;
}
