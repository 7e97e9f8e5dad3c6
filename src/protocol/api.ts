import { Message } from './message.js';
import { type Decoded, type FieldTable, type Input } from './schema.js';
import { type VersionRange } from './versions.js';

/** A request and its response under one key. */
export interface Api<Q extends FieldTable = FieldTable, S extends FieldTable = FieldTable> {
  readonly key: number;
  readonly name: string;
  /** Every version that the tables know. */
  readonly versions: VersionRange;
  /** Without the top version, where Kafka has not yet released that one. */
  readonly stableVersions: VersionRange;
  readonly request: Message<Q>;
  readonly response: Message<S>;
}

export interface ApiTable<Q extends FieldTable, S extends FieldTable> {
  readonly key: number;
  readonly name: string;
  readonly versions: string;
  readonly flexible: string;
  readonly latestVersionUnstable?: true;
  readonly request: Q;
  readonly response: S;
}

export function defineApi<const Q extends FieldTable, const S extends FieldTable>(table: ApiTable<Q, S>): Api<Q, S> {
  const request = new Message(`${table.name}Request`, table.request, table.versions, table.flexible);
  const response = new Message(`${table.name}Response`, table.response, table.versions, table.flexible);
  const { versions } = request;
  const stableVersions = table.latestVersionUnstable ? { min: versions.min, max: versions.max - 1 } : versions;
  return Object.freeze({ key: table.key, name: table.name, versions, stableVersions, request, response });
}

/** The decoded request and response of an API: `RequestOf<typeof createTopicsApi>`. */
export type RequestOf<A> = A extends Api<infer Q, FieldTable> ? Decoded<Q> : never;
export type ResponseOf<A> = A extends Api<FieldTable, infer S> ? Decoded<S> : never;
/** What encoding them takes, where every field is optional. */
export type RequestInput<A> = A extends Api<infer Q, FieldTable> ? Input<Q> : never;
export type ResponseInput<A> = A extends Api<FieldTable, infer S> ? Input<S> : never;
