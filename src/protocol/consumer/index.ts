// What members of a consumer group tell each other through the coordinator: a version of two bytes, then the message.
import { type Decoded, type FieldTable } from '../schema.js';
import { type Message } from '../message.js';
import { Reader } from '../reader.js';
import { consumerProtocolAssignment } from './assignment.js';
import { consumerProtocolSubscription } from './subscription.js';

export { consumerProtocolAssignment, consumerProtocolSubscription };

/** A later version is read as the newest one known: later ones only add at the end. */
function decodePrefixed<T extends FieldTable>(message: Message<T>, blob: Buffer): Decoded<T> {
  const reader = new Reader(blob);
  const version = reader.int16('version');
  return message.read(reader, Math.min(version, message.versions.max));
}

export function decodeSubscription(blob: Buffer) {
  return decodePrefixed(consumerProtocolSubscription, blob);
}

export function decodeAssignment(blob: Buffer) {
  return decodePrefixed(consumerProtocolAssignment, blob);
}
