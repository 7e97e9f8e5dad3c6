// Kafka's message definitions as they lie in its jars.
import { join } from 'node:path';
import { KAFKA_VERSION } from './paths.js';
import { readZip } from './zip.js';

export interface KafkaField {
  readonly name: string;
  readonly type: string;
  readonly versions?: string;
  readonly nullableVersions?: string;
  readonly taggedVersions?: string;
  readonly tag?: number;
  readonly default?: string | number | boolean | null;
  readonly ignorable?: boolean;
  readonly flexibleVersions?: string;
  readonly fields?: readonly KafkaField[];
}

export interface KafkaSchema {
  readonly apiKey?: number;
  readonly type: string;
  readonly name: string;
  readonly validVersions: string;
  readonly flexibleVersions?: string;
  readonly latestVersionUnstable?: boolean;
  readonly fields?: readonly KafkaField[];
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly KafkaField[] }[];
}

export type KafkaModule = 'clients' | 'metadata' | 'group-coordinator' | 'transaction-coordinator' | 'raft';

/** Comments stand on lines of their own or at the end of one, never inside a text. */
function withoutComments(json: string): string {
  return json.replace(/^\s*\/\/.*$/gm, '').replace(/\/\/[^"\n]*$/gm, '');
}

/** Every schema of a module by its name. Throws when the jar is not there. */
export function readKafkaSchemas(libs: string, module: KafkaModule): Map<string, KafkaSchema> {
  const jar = join(libs, `kafka-${module}-${KAFKA_VERSION}.jar`);
  const files = readZip(jar, (name) => /^common\/(message|metadata)\/\w+\.json$/.test(name));
  const schemas = new Map<string, KafkaSchema>();
  for (const content of files.values()) {
    const schema = JSON.parse(withoutComments(content.toString('utf8'))) as KafkaSchema;
    schemas.set(schema.name, schema);
  }
  if (schemas.size === 0) throw new Error(`${jar} holds no message definitions`);
  return schemas;
}

/** Kafka's own name as the tables spell it: the first letter in lower case. */
export function fieldName(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** A default as a value of the table, or undefined where it is the one that the type has anyway. */
export function fieldDefault(field: KafkaField): boolean | number | bigint | string | null | undefined {
  const text = field.default;
  if (text === undefined) return undefined;
  if (text === null || text === 'null') return null;
  if (field.type === 'bool') return String(text) === 'true' ? true : undefined;
  if (field.type === 'string') return text === '' ? undefined : String(text);
  if (field.type === 'int64') return BigInt(text) === 0n ? undefined : BigInt(text);
  if (field.type === 'float64' || /^u?int\d+$/.test(field.type)) return Number(text) === 0 ? undefined : Number(text);
  if (text === '') return undefined;
  throw new Error(`default of ${field.name}: ${String(text)}`);
}
