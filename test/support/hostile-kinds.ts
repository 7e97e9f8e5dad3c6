/** What clients can do that they should not. */
export const HOSTILE_KINDS = [
  'idle', 'half-open', 'announce', 'dribble', 'slow-fetch', 'deaf', 'garbage', 'tls', 'http', 'reset', 'pipeline',
] as const;
export type HostileKind = (typeof HOSTILE_KINDS)[number];

/** Partition 0 holds much, partition 1 is written to. */
export const HOSTILE_TOPIC = 'hostile';
/** Requests that one client sends before it reads the first answer. */
export const PIPELINED = 10_000;
