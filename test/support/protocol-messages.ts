// Every message of the protocol layer, with its name in Kafka, and random values for them.
import {
  type Field, type FieldTable, type VersionRange, ZERO_UUID, apis, consumerProtocolAssignment,
  consumerProtocolSubscription, controlRecords, groupRecords, hasVersion, metadataRecords, parseVersions, requestHeader, responseHeader,
} from '../../src/protocol/index.js';
import { type KafkaModule } from './kafka-schemas.js';
import { type Random } from './random.js';

export type Value = Record<string, unknown>;

/** A message whose fields are not known to the compiler. */
export interface AnyMessage {
  readonly name: string;
  readonly fields: FieldTable;
  readonly versions: VersionRange;
  readonly flexible: VersionRange;
  isFlexible(version: number): boolean;
  encode(version: number, value: Value): Buffer;
  decode(buffer: Buffer, version: number): Value;
}

export interface KnownMessage {
  readonly message: AnyMessage;
  readonly module: KafkaModule;
  /** The name of the class that Kafka generates. */
  readonly javaClass: string;
}

function known(message: unknown, module: KafkaModule, javaPackage: string, suffix = ''): KnownMessage {
  const table = message as AnyMessage;
  return { message: table, module, javaClass: `${javaPackage}.${table.name}${suffix}` };
}

const CLIENTS = 'org.apache.kafka.common.message';

export const knownMessages: readonly KnownMessage[] = [
  ...apis.flatMap((api) => [api.request, api.response]).map((m) => known(m, 'clients', CLIENTS, 'Data')),
  ...[requestHeader, responseHeader].map((m) => known(m, 'clients', CLIENTS, 'Data')),
  ...[consumerProtocolAssignment, consumerProtocolSubscription].map((m) => known(m, 'clients', CLIENTS)),
  ...[...new Set(Object.values(controlRecords).map((r) => r.message))].map((m) => known(m, 'clients', CLIENTS)),
  ...metadataRecords.map((r) => known(r.message, 'metadata', 'org.apache.kafka.common.metadata')),
  ...Object.values(groupRecords)
    .flatMap((r) => [r.key, r.value])
    .map((m) => known(m, 'group-coordinator', 'org.apache.kafka.coordinator.group.generated')),
];

export function versionsOf(message: AnyMessage): number[] {
  const { min, max } = message.versions;
  return Array.from({ length: max - min + 1 }, (_, i) => min + i);
}

function has(range: string | undefined, version: number): boolean {
  return range !== undefined && hasVersion(parseVersions(range), version);
}

const INTEGERS: Readonly<Record<string, readonly [number, number]>> = {
  int8: [-0x80, 0x7f], int16: [-0x8000, 0x7fff], uint16: [0, 0xffff],
  int32: [-0x80000000, 0x7fffffff], uint32: [0, 0xffffffff],
};
const STRINGS = ['', 'a', 'topic-1', 'größe', '日本', '🙂', 'x'.repeat(126), 'y'.repeat(127), 'z'.repeat(300)];
const INT64S = [0n, 1n, -1n, -2n, 2n ** 63n - 1n, -(2n ** 63n)] as const;

function randomScalar(type: string, random: Random): unknown {
  const range = INTEGERS[type];
  if (range !== undefined) {
    const [min, max] = range;
    return random.chance(0.4) ? random.pick([min, max, 0, 1]) : min + random.below(max - min + 1);
  }
  switch (type) {
    case 'bool': return random.chance(0.5);
    case 'int64': return random.chance(0.5) ? random.pick(INT64S) : random.int64();
    // Kafka's JSON converters take no whole number for a float64.
    case 'float64': return random.below(2 ** 31) + 0.5;
    case 'uuid': return random.chance(0.2) ? ZERO_UUID : random.bytes(16).toString('base64url');
    case 'string': return random.pick(STRINGS);
    case 'bytes':
    case 'records': return random.bytes(random.pick([0, 1, 40, 127, 128, 200]));
    default: throw new Error(`no random ${type}`);
  }
}

function randomField(field: Field, version: number, random: Random): unknown {
  if (has(field.nullable, version) && random.chance(0.25)) return null;
  if (field.type === 'struct') return randomValue(field.of as FieldTable, version, random);
  if (!field.type.startsWith('[]')) return randomScalar(field.type, random);
  const element = field.type.slice(2);
  const count = random.pick(element === 'struct' ? [0, 1, 2] : [0, 1, 3, 130]);
  return Array.from({ length: count }, () =>
    element === 'struct' ? randomValue(field.of as FieldTable, version, random) : randomScalar(element, random),
  );
}

/** A value of exactly the fields that the version has; tagged ones are sometimes left out. */
export function randomValue(fields: FieldTable, version: number, random: Random): Value {
  const value: Value = {};
  for (const [name, field] of Object.entries(fields)) {
    if (!has(field.versions, version) || (field.tagged !== undefined && random.chance(0.3))) continue;
    value[name] = randomField(field, version, random);
  }
  return value;
}

function defaultOf(field: Field): unknown {
  if (field.default !== undefined) return field.default;
  if (field.type.startsWith('[]')) return [];
  switch (field.type) {
    case 'struct': return complete(field.of as FieldTable, {});
    case 'bool': return false;
    case 'int64': return 0n;
    case 'uuid': return ZERO_UUID;
    case 'string': return '';
    case 'bytes': return Buffer.alloc(0);
    case 'records': return null;
    default: return 0;
  }
}

/** The value as decoding gives it, with the defaults of everything that is not there. */
export function complete(fields: FieldTable, value: Value): Value {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => {
    const part = value[name];
    if (part === undefined) return [name, defaultOf(field)];
    if (part === null || field.of === undefined) return [name, part];
    if (Array.isArray(part)) return [name, part.map((each) => complete(field.of as FieldTable, each as Value))];
    return [name, complete(field.of, part as Value)];
  }));
}

/** The form that Kafka's JSON converters read: 64-bit numbers as they are, bytes as base64. */
export function toKafkaJson(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (Buffer.isBuffer(value)) return JSON.stringify(value.toString('base64'));
  if (Array.isArray(value)) return `[${value.map(toKafkaJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, part]) => `${JSON.stringify(name)}:${toKafkaJson(part)}`).join(',')}}`;
}
