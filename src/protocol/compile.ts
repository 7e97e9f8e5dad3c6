// Turns the table of a message into functions for one version. They are generated as source text, so that each struct
// is read into one object literal and each field is one direct call: what a hand-written codec would be.
// Names and defaults come from our own tables, never from outside.
import { ProtocolError } from './error.js';
import { type Reader } from './reader.js';
import { type Field, type FieldTable, type UnknownTag } from './schema.js';
import { ZERO_UUID } from './uuid.js';
import { hasVersion, parseVersions } from './versions.js';
import { type Writer } from './writer.js';

export interface CompiledCodec {
  readonly read: (reader: Reader) => unknown;
  readonly write: (writer: Writer, value: unknown) => void;
}

/** What generated code may call. */
const runtime = {
  EMPTY: Buffer.alloc(0),
  NO_TAGS: Object.freeze([]) as readonly UnknownTag[],

  enclose(error: unknown, parent: string): unknown {
    return error instanceof ProtocolError ? error.enclose(parent) : error;
  },

  refuse(field: string, reason: string): never {
    throw new ProtocolError('invalid-value', reason, field);
  },

  malformed(field: string, reason: string): never {
    throw new ProtocolError('malformed', reason, field);
  },

  absent(field: string, version: number): never {
    throw new ProtocolError('unsupported-version', `was set, but version ${version} does not have it`, field);
  },

  /** Tags to pass on, in the order in which they are written. */
  tagsToWrite(tags: readonly UnknownTag[], known: readonly number[]): readonly UnknownTag[] {
    for (const { tag } of tags) {
      if (known.includes(tag)) runtime.refuse('unknownTags', `tag ${tag} is a field of this struct`);
    }
    return tags.toSorted((a, b) => a.tag - b.tag);
  },

  writeTag(writer: Writer, { tag, data }: UnknownTag): void {
    writer.uvarint(tag, 'unknownTags');
    writer.sized(data, 'unknownTags');
  },
};

const SCALAR_BYTES: Readonly<Record<string, number>> = {
  bool: 1, int8: 1, int16: 2, uint16: 2, int32: 4, uint32: 4, int64: 8, float64: 8, uuid: 16,
};

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

class Emitter {
  readonly #version: number;
  readonly #flexible: boolean;
  readonly #ids = new Map<string, Map<FieldTable, string>>();
  readonly #functions: string[] = [];

  constructor(version: number, flexible: boolean) {
    this.#version = version;
    this.#flexible = flexible;
  }

  source(fields: FieldTable): string {
    const read = this.#function('read', fields);
    const write = this.#function('write', fields);
    return `'use strict';\n${this.#functions.join('\n')}\nreturn { read: ${read}, write: ${write} };`;
  }

  /** The name of the function of this kind for a struct, which is emitted when it is first asked for. */
  #function(kind: 'read' | 'write' | 'make' | 'isDefault', fields: FieldTable): string {
    let ids = this.#ids.get(kind);
    if (ids === undefined) this.#ids.set(kind, (ids = new Map<FieldTable, string>()));
    let id = ids.get(fields);
    if (id === undefined) {
      id = `${kind}${ids.size}`;
      ids.set(fields, id);
      const emit = { read: this.#read, write: this.#write, make: this.#make, isDefault: this.#isDefault }[kind];
      this.#functions.push(emit.call(this, id, fields));
    }
    return id;
  }

  #isPresent(field: Field): boolean {
    return hasVersion(parseVersions(field.versions), this.#version);
  }

  #isTagged(field: Field): boolean {
    return field.tagged !== undefined && this.#flexible && hasVersion(parseVersions(field.tagged), this.#version);
  }

  #isNullable(field: Field): boolean {
    return field.nullable !== undefined && hasVersion(parseVersions(field.nullable), this.#version);
  }

  #isCompact(field: Field): boolean {
    return this.#flexible && field.flexible !== 'none';
  }

  // Sizes

  #leastBytes(fields: FieldTable): number {
    let sum = this.#flexible ? 1 : 0;
    for (const field of Object.values(fields)) {
      if (this.#isPresent(field) && !this.#isTagged(field)) sum += this.#leastBytesOf(field);
    }
    return sum;
  }

  #leastBytesOf(field: Field): number {
    if (field.type === 'struct') return this.#isNullable(field) ? 1 : this.#leastBytes(structOf(field));
    if (field.type.startsWith('[]')) return this.#isCompact(field) ? 1 : 4;
    if (field.type === 'string') return this.#isCompact(field) ? 1 : 2;
    return SCALAR_BYTES[field.type] ?? (this.#isCompact(field) ? 1 : 4);
  }

  #leastElementBytes(field: Field): number {
    if (field.type === '[]struct') return this.#leastBytes(structOf(field));
    return this.#leastBytesOf({ ...field, type: field.type.slice(2) as Field['type'] });
  }

  // Defaults

  #default(field: Field): string {
    if (field.default === null || field.type === 'records') return 'null';
    if (field.type === 'struct') return `${this.#function('make', structOf(field))}()`;
    if (field.type.startsWith('[]')) return '[]';
    if (field.type === 'bytes') return 'runtime.EMPTY';
    if (typeof field.default === 'bigint') return `${field.default}n`;
    if (field.default !== undefined) return JSON.stringify(field.default);
    if (field.type === 'bool') return 'false';
    if (field.type === 'int64') return '0n';
    if (field.type === 'string') return '""';
    return field.type === 'uuid' ? JSON.stringify(ZERO_UUID) : '0';
  }

  #equalsDefault(value: string, field: Field): string {
    if (field.default === null || field.type === 'records') return `${value} === null`;
    if (field.type === 'struct') return `${this.#function('isDefault', structOf(field))}(${value})`;
    if (field.type.startsWith('[]') || field.type === 'bytes') return `${value} !== null && ${value}.length === 0`;
    return `${value} === ${this.#default(field)}`;
  }

  #make(id: string, fields: FieldTable): string {
    const members = Object.entries(fields).map(([name, field]) => `${name}: ${this.#default(field)}`);
    return `function ${id}() { return { ${members.join(', ')} }; }`;
  }

  #isDefault(id: string, fields: FieldTable): string {
    const tests = Object.entries(fields).map(
      ([name, field]) => `(o.${name} === undefined || (${this.#equalsDefault(`o.${name}`, field)}))`,
    );
    const noTags = '(o.unknownTags === undefined || o.unknownTags.length === 0)';
    return `function ${id}(o) { return o !== null && ${[...tests, noTags].join(' && ')}; }`;
  }

  // Reading

  #read(id: string, fields: FieldTable): string {
    const lines: string[] = [];
    const members: string[] = [];
    const cases: string[] = [];
    for (const [index, [name, field]] of Object.entries(fields).entries()) {
      const target = `f${index}`;
      members.push(`${name}: ${target}`);
      if (!this.#isPresent(field) || this.#isTagged(field)) {
        lines.push(`let ${target} = ${this.#default(field)};`);
      } else {
        lines.push(`let ${target};`, this.#readField(target, name, field));
      }
      if (field.tagged === undefined) continue;
      const body = this.#isTagged(field)
        ? this.#readField(target, name, field)
        : `runtime.malformed(${quote(name)}, "tag ${field.tag} is not valid in version ${this.#version}");`;
      cases.push(`case ${field.tag}: ${body} break;`);
    }
    const result = `{ ${members.join(', ')} }`;
    if (!this.#flexible) return `function ${id}(r) {\n${lines.join('\n')}\nreturn ${result};\n}`;
    lines.push(
      'let unknown;',
      'for (let n = r.tagCount("unknownTags"); n > 0; n--) {',
      'const tag = r.uvarint("unknownTags"), outer = r.enter("unknownTags");',
      `switch (tag) {\n${cases.join('\n')}`,
      'default: (unknown ??= []).push({ tag, data: r.rest() });\n}',
      'r.leave(outer, "unknownTags");\n}',
      `const result = ${result};`,
      'if (unknown !== undefined) result.unknownTags = unknown;',
    );
    return `function ${id}(r) {\n${lines.join('\n')}\nreturn result;\n}`;
  }

  #readField(target: string, name: string, field: Field): string {
    const path = quote(name);
    const onNull = this.#isNullable(field) ? `${target} = null` : `runtime.malformed(${path}, "must not be null")`;
    if (field.type === 'struct') {
      const read = `${this.#function('read', structOf(field))}(r)`;
      const guarded = `try { ${target} = ${read}; } catch (e) { throw runtime.enclose(e, ${path}); }`;
      return this.#isNullable(field) ? `if (r.int8(${path}) < 0) ${onNull}; else { ${guarded} }` : guarded;
    }
    if (!field.type.startsWith('[]')) return `${target} = ${this.#readScalar(field, path)};`;
    const element = field.type === '[]struct'
      ? `${this.#function('read', structOf(field))}(r)`
      : this.#readScalar(elementOf(field), '""');
    const count = `r.${this.#isCompact(field) ? 'compactArrayLength' : 'arrayLength'}`;
    return [
      `{ const n = ${count}(${this.#leastElementBytes(field)}, ${path});`,
      `if (n < 0) { ${onNull}; } else { ${target} = []; for (let i = 0; i < n; i++) {`,
      `try { ${target}.push(${element}); } catch (e) { throw runtime.enclose(e, ${path} + "[" + i + "]"); }`,
      '} } }',
    ].join('\n');
  }

  #method(field: Field): string {
    if (field.type !== 'string' && field.type !== 'bytes' && field.type !== 'records') return field.type;
    const prefix = `${this.#isCompact(field) ? 'compact' : ''}${this.#isNullable(field) ? 'Nullable' : ''}`;
    const method = `${prefix}${capitalised(field.type)}`;
    return method.charAt(0).toLowerCase() + method.slice(1);
  }

  #readScalar(field: Field, path: string): string {
    return `r.${this.#method(field)}(${path})`;
  }

  // Writing

  /** Records are written as the bytes they are. */
  #writeScalar(value: string, field: Field, path: string): string {
    const method = this.#method(field.type === 'records' ? { ...field, type: 'bytes' } : field);
    return `w.${method}(${value}, ${path})`;
  }

  #write(id: string, fields: FieldTable): string {
    const lines = ['if (o === null || typeof o !== "object") runtime.refuse("", "must be an object");', 'let v;'];
    const tagged: { name: string; field: Field; tag: number }[] = [];
    for (const [name, field] of Object.entries(fields)) {
      if (!this.#isPresent(field)) {
        if (field.ignorable) continue;
        lines.push(
          `v = o.${name};`,
          `if (v !== undefined && !(${this.#equalsDefault('v', field)}))`,
          `runtime.absent(${quote(name)}, ${this.#version});`,
        );
      } else if (this.#isTagged(field)) {
        if (field.tag === undefined) throw new Error(`${name} has tagged versions and no tag`);
        tagged.push({ name, field, tag: field.tag });
      } else {
        lines.push(`v = o.${name};`, `if (v === undefined) v = ${this.#default(field)};`);
        lines.push(this.#writeField('v', name, field));
      }
    }
    lines.push(...(this.#flexible ? this.#writeTags(tagged) : [
      `if (o.unknownTags !== undefined && o.unknownTags.length > 0) runtime.absent("unknownTags", ${this.#version});`,
    ]));
    return `function ${id}(w, o) {\n${lines.join('\n')}\n}`;
  }

  #writeTags(tagged: { name: string; field: Field; tag: number }[]): string[] {
    tagged.sort((a, b) => a.tag - b.tag);
    const known = JSON.stringify(tagged.map((entry) => entry.tag));
    const lines = ['let n = 0;'];
    for (const { name, field, tag } of tagged) {
      lines.push(
        `const t${tag} = o.${name}, set${tag} = t${tag} !== undefined && !(${this.#equalsDefault(`t${tag}`, field)});`,
        `if (set${tag}) n++;`,
      );
    }
    lines.push(
      `const u = o.unknownTags === undefined ? runtime.NO_TAGS : runtime.tagsToWrite(o.unknownTags, ${known});`,
      'let i = 0;',
      'w.uvarint(n + u.length, "unknownTags");',
    );
    for (const { name, field, tag } of tagged) {
      lines.push(
        `if (set${tag}) {`,
        `while (i < u.length && u[i].tag < ${tag}) runtime.writeTag(w, u[i++]);`,
        `w.uvarint(${tag}, ${quote(name)});`,
        'const start = w.open();',
        this.#writeField(`t${tag}`, name, field),
        `w.close(start, ${quote(name)});\n}`,
      );
    }
    lines.push('while (i < u.length) runtime.writeTag(w, u[i++]);');
    return lines;
  }

  #writeField(value: string, name: string, field: Field): string {
    const path = quote(name);
    const refuseNull = `runtime.refuse(${path}, "must not be null in version ${this.#version}");`;
    if (field.type === 'struct') {
      const write = `${this.#function('write', structOf(field))}(w, ${value})`;
      const guarded = `try { ${write}; } catch (e) { throw runtime.enclose(e, ${path}); }`;
      return this.#isNullable(field)
        ? `if (${value} === null) w.int8(-1, ${path}); else { w.int8(1, ${path}); ${guarded} }`
        : guarded;
    }
    if (!field.type.startsWith('[]')) return `${this.#writeScalar(value, field, path)};`;
    const element = field.type === '[]struct'
      ? `${this.#function('write', structOf(field))}(w, ${value}[i])`
      : this.#writeScalar(`${value}[i]`, elementOf(field), '""');
    const compact = this.#isCompact(field);
    const onNull = !this.#isNullable(field) ? refuseNull : compact ? `w.uvarint(0, ${path});` : `w.int32(-1, ${path});`;
    const count = compact ? `w.uvarint(${value}.length + 1, ${path});` : `w.int32(${value}.length, ${path});`;
    return [
      `if (${value} === null) { ${onNull} }`,
      `else if (!Array.isArray(${value})) runtime.refuse(${path}, "must be an array");`,
      `else { ${count} for (let i = 0; i < ${value}.length; i++) {`,
      `try { ${element}; } catch (e) { throw runtime.enclose(e, ${path} + "[" + i + "]"); }`,
      '} }',
    ].join('\n');
  }
}

function quote(name: string): string {
  if (!/^[A-Za-z][A-Za-z0-9]*$/.test(name)) throw new Error(`not a field name: '${name}'`);
  return `"${name}"`;
}

function structOf(field: Field): FieldTable {
  if (field.of === undefined) throw new Error('a struct has no fields');
  return field.of;
}

/** Elements are never null and follow the form of their array. */
function elementOf(field: Field): Field {
  const type = field.type.slice(2) as Field['type'];
  return { type, versions: field.versions, ...(field.flexible === undefined ? {} : { flexible: field.flexible }) };
}

export function compileCodec(name: string, fields: FieldTable, version: number, flexible: boolean): CompiledCodec {
  const source = new Emitter(version, flexible).source(fields);
  const build = new Function('runtime', `${source}\n//# sourceURL=sluice-protocol/${name}-v${version}.js`);
  return build(runtime) as CompiledCodec;
}
