// One handler per API key. What ApiVersions advertises and what dispatch serves both derive from the list in
// handlers/index.ts, so that neither can name an API that the other does not have.
import { type Api, type RequestOf, type ResponseInput } from '../protocol/api.js';
import { type FieldTable } from '../protocol/schema.js';
import { type VersionRange, parseVersions } from '../protocol/versions.js';
import { type RequestContext } from './context.js';

/** What went wrong with a request as a whole. */
export interface Failure {
  readonly code: number;
  readonly message: string | null;
}

export interface HandlerOptions<A extends Api<any, any>> {
  readonly api: A;
  /** The versions that are served, as in the tables: `2-7`. All stable ones when left out. */
  readonly versions?: string;
  handle(request: RequestOf<A>, ctx: RequestContext): ResponseInput<A> | Promise<ResponseInput<A>>;
  /** The answer when `handle` threw: the same error for everything that was asked for, as Kafka answers. */
  failed(request: RequestOf<A>, failure: Failure, ctx: RequestContext): ResponseInput<A>;
}

/** A handler as the registry keeps it, without the types of its messages. */
export interface Handler {
  readonly key: number;
  readonly api: Api<FieldTable, FieldTable>;
  readonly versions: VersionRange;
  handle(request: unknown, ctx: RequestContext): unknown;
  failed(request: unknown, failure: Failure, ctx: RequestContext): unknown;
}

export function defineHandler<A extends Api<any, any>>(options: HandlerOptions<A>): Handler {
  const { api, handle, failed } = options;
  const versions = options.versions === undefined ? api.stableVersions : parseVersions(options.versions);
  if (versions.min < api.versions.min || versions.max > api.versions.max) {
    throw new Error(`${api.name}: the handler has versions that the protocol table lacks`);
  }
  return Object.freeze({
    key: api.key,
    api: api as unknown as Api<FieldTable, FieldTable>,
    versions,
    handle: handle as Handler['handle'],
    failed: failed as Handler['failed'],
  });
}

/** All handlers by key. Two under one key are a bug. */
export class Registry {
  readonly #handlers = new Map<number, Handler>();

  constructor(handlers: Iterable<Handler>) {
    for (const handler of handlers) {
      if (this.#handlers.has(handler.key)) throw new Error(`two handlers for key ${handler.key}`);
      this.#handlers.set(handler.key, handler);
    }
  }

  get(key: number): Handler | undefined {
    return this.#handlers.get(key);
  }

  /** In the order of their keys. */
  handlers(): Handler[] {
    return [...this.#handlers.values()].sort((a, b) => a.key - b.key);
  }
}
