/** The types of a field as they stand in the tables. `struct` and `[]struct` carry their fields in `of`. */
export type ScalarType =
  | 'bool' | 'int8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'int64' | 'float64'
  | 'uuid' | 'string' | 'bytes' | 'records';
export type FieldType = ScalarType | `[]${ScalarType}` | 'struct' | '[]struct';

/**
 * One field of a message. Ranges of versions are written as in Kafka's definitions: `0+`, `2-5`, `7`, `none`.
 * Without `default` a field defaults to 0, false, '', the zero uuid, no bytes, no elements, or a struct of defaults;
 * `records` default to null.
 */
export interface Field {
  readonly type: FieldType;
  /** The versions that have the field, as a tagged one or not. */
  readonly versions: string;
  /** The versions in which it may be null. */
  readonly nullable?: string;
  readonly tag?: number;
  /** The versions in which it is written as a tagged field. */
  readonly tagged?: string;
  readonly default?: boolean | number | bigint | string | null;
  /** Whether a value other than the default is silently left out of versions that lack the field. */
  readonly ignorable?: true;
  /** `none` where a field keeps its old form in flexible versions. */
  readonly flexible?: 'none';
  readonly of?: FieldTable;
}

/** The fields in the order in which they are written. */
export interface FieldTable {
  readonly [name: string]: Field;
}

/** A tagged field that the table does not know, kept so that it can be passed on. */
export interface UnknownTag {
  readonly tag: number;
  readonly data: Buffer;
}

interface ScalarValues {
  bool: boolean;
  int8: number;
  int16: number;
  uint16: number;
  int32: number;
  uint32: number;
  int64: bigint;
  float64: number;
  uuid: string;
  string: string;
  bytes: Buffer;
  records: Buffer;
}

interface ScalarInputs extends Omit<ScalarValues, 'bytes' | 'records'> {
  bytes: Uint8Array;
  records: Uint8Array;
}

type OrNull<F extends Field, V> = F extends { readonly nullable: string } ? V | null : V;

type DecodedValue<F extends Field> = F extends { readonly type: '[]struct'; readonly of: infer S extends FieldTable }
  ? Decoded<S>[]
  : F extends { readonly type: 'struct'; readonly of: infer S extends FieldTable }
    ? Decoded<S>
    : F extends { readonly type: `[]${infer T extends ScalarType}` }
      ? ScalarValues[T][]
      : F extends { readonly type: infer T extends ScalarType }
        ? ScalarValues[T]
        : never;

/** What decoding gives: every field of the table, those that the version lacks with their defaults. */
export type Decoded<T extends FieldTable> = {
  -readonly [K in keyof T]: OrNull<T[K], DecodedValue<T[K]>>;
} & { unknownTags?: UnknownTag[] };

type InputValue<F extends Field> = F extends { readonly type: '[]struct'; readonly of: infer S extends FieldTable }
  ? readonly Input<S>[]
  : F extends { readonly type: 'struct'; readonly of: infer S extends FieldTable }
    ? Input<S>
    : F extends { readonly type: `[]${infer T extends ScalarType}` }
      ? readonly ScalarInputs[T][]
      : F extends { readonly type: infer T extends ScalarType }
        ? ScalarInputs[T]
        : never;

/** What encoding takes: any of the fields, the others get their defaults. */
export type Input<T extends FieldTable> = {
  readonly [K in keyof T]?: OrNull<T[K], InputValue<T[K]>> | undefined;
} & { readonly unknownTags?: readonly UnknownTag[] | undefined };
