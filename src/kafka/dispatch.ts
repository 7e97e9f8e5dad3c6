// From the bytes of one request to the bytes of its answer. Nothing that a client sends ends the process: what cannot be
// read closes its connection, what a handler throws becomes an error in the answer.
import { KafkaError } from '../metadata/kafka-error.js';
import { apiName } from '../protocol/api-keys.js';
import { ProtocolError } from '../protocol/error.js';
import { errorCode } from '../protocol/errors.js';
import { encodeResponse } from '../protocol/headers.js';
import { type FieldTable, type Input } from '../protocol/schema.js';
import { hasVersion } from '../protocol/versions.js';
import { Reader } from '../protocol/reader.js';
import { apiVersionsApi } from '../protocol/messages/18-api-versions.js';
import { type RequestContext } from './context.js';
import { type Failure, type Handler, type Registry } from './registry.js';
import { type BrokerServices } from './services.js';

/** A request as the data plane hands it over: the header is read, the body is not. */
export interface IncomingRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  /** Address and port. */
  readonly peer: string;
  readonly listener: number;
  readonly receivedMs: number;
  readonly body: Buffer;
}

export type Outcome =
  /** Header and body, without the size in front. */
  | { readonly kind: 'respond'; readonly response: Buffer }
  | { readonly kind: 'close'; readonly reason: string };

const SIZE_BYTES = 4;
/** Of all lists of one request. A request of the largest size could name fifty million topics of no letters, and become gigabytes. */
const MAX_ELEMENTS = 500_000;

function close(reason: string): Outcome {
  return { kind: 'close', reason };
}

function respond(handler: Handler, version: number, correlationId: number, body: unknown): Outcome {
  const frame = encodeResponse(handler.api, version, correlationId, body as Input<FieldTable>);
  return { kind: 'respond', response: frame.subarray(SIZE_BYTES) };
}

/** Without its port, and without the brackets of an IPv6 address. */
export function hostOf(peer: string): string {
  const colon = peer.lastIndexOf(':');
  return (colon === -1 ? peer : peer.slice(0, colon)).replace(/^\[(.*)\]$/, '$1');
}

/**
 * The version is not known before ApiVersions is answered, so a client may well ask for one that is too new. It gets the
 * oldest form of the answer, which every client can read.
 */
function refuseApiVersions(handler: Handler, correlationId: number): Outcome {
  return respond(handler, 0, correlationId, {
    errorCode: errorCode('UNSUPPORTED_VERSION'),
    apiKeys: [{ apiKey: handler.key, minVersion: handler.versions.min, maxVersion: handler.versions.max }],
  });
}

function failureOf(error: unknown, request: IncomingRequest, broker: BrokerServices): Failure {
  if (error instanceof KafkaError) return { code: error.code, message: error.told };
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  broker.log.error(`${apiName(request.apiKey)} version ${request.apiVersion} from ${request.peer} failed: ${detail}`);
  return { code: errorCode('UNKNOWN_SERVER_ERROR'), message: null };
}

export async function dispatch(registry: Registry, request: IncomingRequest, broker: BrokerServices): Promise<Outcome> {
  const { apiKey, apiVersion, correlationId, clientId } = request;
  const handler = registry.get(apiKey);
  if (handler === undefined) return close(`${apiName(apiKey)} is not served`);
  if (!hasVersion(handler.versions, apiVersion)) {
    if (apiKey === apiVersionsApi.key) return refuseApiVersions(handler, correlationId);
    return close(`${handler.api.name} has no version ${apiVersion} here`);
  }
  let body: unknown;
  try {
    // Like Kafka's, this broker does not mind bytes behind the end.
    body = handler.api.request.read(new Reader(request.body, { maxElements: MAX_ELEMENTS }), apiVersion);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return close(`${handler.api.name} version ${apiVersion} cannot be read: ${error.message}`);
  }
  const ctx: RequestContext = {
    header: { apiKey, apiVersion, correlationId, clientId },
    peerHost: hostOf(request.peer),
    listener: request.listener,
    broker,
  };
  try {
    return respond(handler, apiVersion, correlationId, await handler.handle(body, ctx));
  } catch (error) {
    const failure = failureOf(error, request, broker);
    try {
      return respond(handler, apiVersion, correlationId, handler.failed(body, failure, ctx));
    } catch (second) {
      failureOf(second, request, broker);
      return close(`${handler.api.name} version ${apiVersion} has no answer`);
    }
  }
}
