import { ProtocolError } from './error.js';

/** All zero bits, which Kafka uses where no id is known. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';

/** A uuid's text form is what Kafka prints: 16 bytes as unpadded base64url, 22 characters. */
export function uuidFromBytes(bytes: Buffer, offset = 0): string {
  return bytes.toString('base64url', offset, offset + 16);
}

export function uuidToBytes(uuid: string): Buffer {
  const bytes = Buffer.from(uuid, 'base64url');
  // The decoder skips what it does not know, so only the way back shows whether the text was a uuid.
  if (bytes.length !== 16 || bytes.toString('base64url') !== uuid) {
    throw new ProtocolError('invalid-value', `not a uuid of 22 base64url characters: ${JSON.stringify(uuid)}`);
  }
  return bytes;
}

export function isUuid(text: string): boolean {
  return /^[A-Za-z0-9_-]{21}[AQgw]$/.test(text);
}
