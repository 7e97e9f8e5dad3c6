// The one thing that the coordinator reads of what consumers tell each other: which topics they subscribe to.
import { consumerProtocolSubscription } from '../protocol/consumer/subscription.js';
import { ProtocolError } from '../protocol/error.js';
import { Reader } from '../protocol/reader.js';
import { type Group } from './group.js';

/** Every version begins as version 0 does, so that nothing of later ones need be known. */
function topicsIn(metadata: Buffer): string[] {
  const reader = new Reader(metadata);
  reader.int16('version');
  return consumerProtocolSubscription.read(reader, 0).topics;
}

/** Null: they are not consumers, or do not speak as consumers do. */
export function subscribedTopicsOf(group: Group): ReadonlySet<string> | null {
  if (!group.usesConsumerProtocol) return null;
  const topics = new Set<string>();
  if (group.members.size === 0) return topics;
  if (group.protocolName === null) return null;
  try {
    for (const member of group.members.values()) {
      for (const topic of topicsIn(member.metadataFor(group.protocolName))) topics.add(topic);
    }
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
  return topics;
}
