// Prints a message table from the definitions in Kafka's jars: names, types and versions, no prose.
//   node dist/scripts/protocol/transcribe.js <libs> api <key>
//   node dist/scripts/protocol/transcribe.js <libs> message <module> <name>
// For a new version of Kafka: print, compare with the checked-in table, edit that. The compat test has the last word.
import {
  type KafkaField, type KafkaModule, type KafkaSchema, fieldDefault, fieldName, readKafkaSchemas,
} from '../../test/support/kafka-schemas.js';

const WIDTH = 120;

type Structs = ReadonlyMap<string, readonly KafkaField[]>;

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function typeOf(type: string): string {
  const element = type.startsWith('[]') ? type.slice(2) : type;
  const isStruct = /^[A-Z]/.test(element);
  return type.startsWith('[]') ? `[]${isStruct ? 'struct' : element}` : isStruct ? 'struct' : element;
}

function literal(value: boolean | number | bigint | string | null): string {
  return typeof value === 'bigint' ? `${value}n` : typeof value === 'string' ? quoted(value) : String(value);
}

/** Breaks the rare line that is too long in front of its last two properties. */
function wrapped(line: string, indent: string): string[] {
  if (line.length <= WIDTH) return [line];
  const parts = line.split(', ');
  return [`${parts.slice(0, -2).join(', ')},`, `${indent}  ${parts.slice(-2).join(', ')}`];
}

/** One field a line, a struct's fields below it. */
function fieldLines(field: KafkaField, indent: string, structs: Structs): string[] {
  const versions = field.versions ?? field.taggedVersions;
  if (versions === undefined) throw new Error(`${field.name} has no versions`);
  const parts = [`type: '${typeOf(field.type)}'`, `versions: '${versions}'`];
  if (field.nullableVersions !== undefined) parts.push(`nullable: '${field.nullableVersions}'`);
  if (field.tag !== undefined) parts.push(`tag: ${field.tag}`, `tagged: '${field.taggedVersions}'`);
  const value = fieldDefault(field);
  if (value !== undefined) parts.push(`default: ${literal(value)}`);
  if (field.ignorable === true) parts.push('ignorable: true');
  if (field.flexibleVersions !== undefined) parts.push(`flexible: '${field.flexibleVersions}'`);
  const head = `${indent}${fieldName(field.name)}: { ${parts.join(', ')}`;
  const element = field.type.replace('[]', '');
  if (!/^[A-Z]/.test(element)) return wrapped(`${head} },`, indent);
  if (structs.has(element)) return [`${head}, of: ${fieldName(element)} },`];
  if (field.fields === undefined) throw new Error(`${field.name}: no struct ${element}`);
  return [`${head}, of: {`, ...field.fields.flatMap((f) => fieldLines(f, `${indent}  `, structs)), `${indent}} },`];
}

function structsOf(...schemas: KafkaSchema[]): Structs {
  return new Map(schemas.flatMap((s) => (s.commonStructs ?? []).map((c) => [c.name, c.fields] as const)));
}

function structLines(structs: Structs): string[] {
  return [...structs].flatMap(([name, fields]) => [
    `const ${fieldName(name)} = {`,
    ...fields.flatMap((f) => fieldLines(f, '  ', structs)),
    '} as const satisfies FieldTable;',
    '',
  ]);
}

function tableLines(property: string, schema: KafkaSchema, structs: Structs): string[] {
  const fields = schema.fields ?? [];
  if (fields.length === 0) return [`  ${property}: {},`];
  return [`  ${property}: {`, ...fields.flatMap((f) => fieldLines(f, '    ', structs)), '  },'];
}

function apiLines(libs: string, key: number): string[] {
  const all = [...readKafkaSchemas(libs, 'clients').values()].filter((s) => s.apiKey === key);
  const request = all.find((s) => s.type === 'request');
  const response = all.find((s) => s.type === 'response');
  if (request === undefined || response === undefined) throw new Error(`no key ${key}`);
  if (request.validVersions !== response.validVersions || request.flexibleVersions !== response.flexibleVersions) {
    throw new Error(`request and response of key ${key} differ in their versions`);
  }
  const name = request.name.replace(/Request$/, '');
  const structs = structsOf(request, response);
  return [
    `import { defineApi } from '../api.js';`,
    ...(structs.size > 0 ? ["import { type FieldTable } from '../schema.js';"] : []),
    '',
    ...structLines(structs),
    `export const ${fieldName(name)}Api = defineApi({`,
    `  key: ${key},`,
    `  name: '${name}',`,
    `  versions: '${request.validVersions}',`,
    `  flexible: '${request.flexibleVersions ?? 'none'}',`,
    ...(request.latestVersionUnstable === true ? ['  latestVersionUnstable: true,'] : []),
    ...tableLines('request', request, structs),
    ...tableLines('response', response, structs),
    '});',
  ];
}

function messageLines(libs: string, module: KafkaModule, name: string): string[] {
  const schema = readKafkaSchemas(libs, module).get(name);
  if (schema === undefined) throw new Error(`no message ${name} in ${module}`);
  const structs = structsOf(schema);
  const isRecord = schema.type === 'metadata';
  const define = isRecord ? 'defineMetadataRecord' : 'defineMessage';
  const from = isRecord ? './define.js' : '../../message.js';
  return [
    ...(structs.size > 0 && isRecord ? ["import { type FieldTable } from '../../schema.js';"] : []),
    `import { ${define} } from '${from}';`,
    ...(structs.size > 0 && !isRecord ? ["import { type FieldTable } from '../../schema.js';"] : []),
    '',
    ...structLines(structs),
    `export const ${fieldName(name)} = ${define}({`,
    ...(isRecord ? [`  type: ${schema.apiKey},`] : []),
    `  name: '${name}',`,
    `  versions: '${schema.validVersions}',`,
    `  flexible: '${schema.flexibleVersions ?? 'none'}',`,
    ...tableLines('fields', schema, structs),
    '});',
  ];
}

function main([libs, kind, ...rest]: string[]): void {
  let lines: string[];
  if (libs !== undefined && kind === 'api' && rest.length === 1) lines = apiLines(libs, Number(rest[0]));
  else if (libs !== undefined && kind === 'message' && rest.length === 2) {
    lines = messageLines(libs, rest[0] as KafkaModule, rest[1] as string);
  } else throw new Error('usage: transcribe <libs> api <key> | <libs> message <module> <name>');
  console.log(lines.join('\n'));
}

main(process.argv.slice(2));
