/** An inclusive range of versions. An empty one has `max < min`. */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

const OPEN_END = 0x7fff;
const NONE: VersionRange = Object.freeze({ min: 1, max: 0 });

/** The notation of the tables, which is Kafka's: `3`, `3-5`, `3+` or `none`. A mistake in a table is a bug of ours. */
export function parseVersions(text: string): VersionRange {
  if (text === 'none') return NONE;
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text);
  if (match === null) throw new Error(`not a range of versions: '${text}'`);
  const min = Number(match[1]);
  const max = match[2] !== undefined ? OPEN_END : match[3] !== undefined ? Number(match[3]) : min;
  if (max < min) throw new Error(`not a range of versions: '${text}'`);
  return Object.freeze({ min, max });
}

export function hasVersion(range: VersionRange, version: number): boolean {
  return version >= range.min && version <= range.max;
}
