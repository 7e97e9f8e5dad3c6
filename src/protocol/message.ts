import { type CompiledCodec, compileCodec } from './compile.js';
import { ProtocolError } from './error.js';
import { Reader } from './reader.js';
import { type Decoded, type FieldTable, type Input } from './schema.js';
import { type VersionRange, hasVersion, parseVersions } from './versions.js';
import { Writer } from './writer.js';

/** The table of one message and its codecs, each compiled when its version is first used. */
export class Message<T extends FieldTable> {
  readonly name: string;
  readonly fields: T;
  readonly versions: VersionRange;
  /** The versions with compact lengths and tagged fields. */
  readonly flexible: VersionRange;
  readonly #codecs: (CompiledCodec | undefined)[] = [];

  constructor(name: string, fields: T, versions: string, flexible: string) {
    this.name = name;
    this.fields = fields;
    this.versions = parseVersions(versions);
    this.flexible = parseVersions(flexible);
  }

  hasVersion(version: number): boolean {
    return hasVersion(this.versions, version);
  }

  isFlexible(version: number): boolean {
    return hasVersion(this.flexible, version);
  }

  #codec(version: number): CompiledCodec {
    const known = this.#codecs[version];
    if (known !== undefined) return known;
    if (!Number.isInteger(version) || !this.hasVersion(version)) {
      throw new ProtocolError('unsupported-version', `${this.name} has no version ${version}`);
    }
    return (this.#codecs[version] = compileCodec(this.name, this.fields, version, this.isFlexible(version)));
  }

  /** Reads one message and leaves the reader behind it. Like Kafka's brokers, callers may ignore what follows. */
  read(reader: Reader, version: number): Decoded<T> {
    return this.#codec(version).read(reader) as Decoded<T>;
  }

  write(writer: Writer, version: number, value: Input<T>): void {
    this.#codec(version).write(writer, value);
  }

  /** Reads a buffer that holds one message and nothing else. */
  decode(buffer: Buffer, version: number): Decoded<T> {
    const reader = new Reader(buffer);
    const value = this.read(reader, version);
    reader.expectEnd();
    return value;
  }

  encode(version: number, value: Input<T>): Buffer {
    const writer = new Writer();
    this.write(writer, version, value);
    return writer.finish();
  }
}

/** What decoding a message gives, and what encoding it takes: `DecodedOf<typeof votersRecord>`. */
export type DecodedOf<M> = M extends Message<infer T> ? Decoded<T> : never;
export type InputOf<M> = M extends Message<infer T> ? Input<T> : never;

/** A message that is not a request or response: a header, a record, a blob of the group protocol. */
export function defineMessage<const T extends FieldTable>(table: {
  readonly name: string;
  readonly versions: string;
  readonly flexible: string;
  readonly fields: T;
}): Message<T> {
  return new Message(table.name, table.fields, table.versions, table.flexible);
}
