// Kafka's rules for the names of topics.

const MAX_LENGTH = 249;
const LEGAL = /^[a-zA-Z0-9._-]+$/;

/** Topics of the broker itself: clients cannot create them by asking for them, and they are marked in answers. */
export const internalTopics = {
  offsets: '__consumer_offsets',
  transactions: '__transaction_state',
  shareState: '__share_group_state',
} as const;

const INTERNAL = new Set<string>(Object.values(internalTopics));

export function isInternalTopic(name: string): boolean {
  return INTERNAL.has(name);
}

/** Why a name is not one a topic can have, or null. */
export function topicNameProblem(name: string): string | null {
  if (name === '') return 'the empty string is not allowed';
  if (name === '.' || name === '..') return `'${name}' is not allowed`;
  if (name.length > MAX_LENGTH) {
    return `the length of '${name}' is longer than the max allowed length ${MAX_LENGTH}`;
  }
  if (!LEGAL.test(name)) {
    return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`;
  }
  return null;
}

/** Names with the same key would have the same names of metrics in Kafka, which takes only one of them. */
export function collisionKey(name: string): string {
  return name.replaceAll('.', '_');
}

export function canCollide(name: string): boolean {
  return name.includes('.') || name.includes('_');
}
