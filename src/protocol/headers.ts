import { type Api } from './api.js';
import { apiOfKey } from './api-keys.js';
import { ProtocolError } from './error.js';
import { type DecodedOf, defineMessage } from './message.js';
import { Reader } from './reader.js';
import { type Decoded, type FieldTable, type Input } from './schema.js';
import { Writer } from './writer.js';

export const requestHeader = defineMessage({
  name: 'RequestHeader',
  versions: '1-2',
  flexible: '2+',
  fields: {
    requestApiKey: { type: 'int16', versions: '0+' },
    requestApiVersion: { type: 'int16', versions: '0+' },
    correlationId: { type: 'int32', versions: '0+' },
    clientId: { type: 'string', versions: '1+', nullable: '1+', flexible: 'none' },
  },
});

export const responseHeader = defineMessage({
  name: 'ResponseHeader',
  versions: '0-1',
  flexible: '1+',
  fields: {
    correlationId: { type: 'int32', versions: '0+' },
  },
});

export type RequestHeader = DecodedOf<typeof requestHeader>;

const API_VERSIONS = 18;

interface Versioned {
  readonly key: number;
  readonly request: { isFlexible(version: number): boolean };
  readonly response: { isFlexible(version: number): boolean };
}

/** Holds for versions that are not supported, too: a header must be readable before its version can be refused. */
export function requestHeaderVersion(api: Versioned, version: number): number {
  return api.request.isFlexible(version) ? 2 : 1;
}

/** A client that asks for ApiVersions does not know yet what the broker speaks, so that header never changes. */
export function responseHeaderVersion(api: Versioned, version: number): number {
  return api.key !== API_VERSIONS && api.response.isFlexible(version) ? 1 : 0;
}

/** Reads a request's header and leaves the reader at the body. The version may be one that the API does not have. */
export function readRequestHeader(reader: Reader): RequestHeader {
  const key = reader.peekInt16(0, 'requestApiKey');
  const version = reader.peekInt16(2, 'requestApiVersion');
  const api = apiOfKey(key);
  if (api === undefined) throw new ProtocolError('unsupported-version', `unknown API key ${key}`, 'requestApiKey');
  return requestHeader.read(reader, requestHeaderVersion(api, version));
}

export interface RequestFrame {
  readonly correlationId: number;
  readonly clientId: string | null;
}

const SIZE_BYTES = 4;

function finishFrame(writer: Writer): Buffer {
  writer.patchInt32(0, writer.position - SIZE_BYTES);
  return writer.finish();
}

/** A request as it goes over the wire: size, header, body. */
export function encodeRequest<Q extends FieldTable, S extends FieldTable>(
  api: Api<Q, S>, version: number, frame: RequestFrame, body: Input<Q>,
): Buffer {
  const writer = new Writer();
  writer.int32(0, 'size');
  requestHeader.write(writer, requestHeaderVersion(api, version), {
    requestApiKey: api.key, requestApiVersion: version, ...frame,
  });
  api.request.write(writer, version, body);
  return finishFrame(writer);
}

/** A response as it goes over the wire: size, header, body. */
export function encodeResponse<Q extends FieldTable, S extends FieldTable>(
  api: Api<Q, S>, version: number, correlationId: number, body: Input<S>,
): Buffer {
  const writer = new Writer();
  writer.int32(0, 'size');
  responseHeader.write(writer, responseHeaderVersion(api, version), { correlationId });
  api.response.write(writer, version, body);
  return finishFrame(writer);
}

/** Reads a response whose size has been taken off. */
export function decodeResponse<Q extends FieldTable, S extends FieldTable>(
  api: Api<Q, S>, version: number, payload: Buffer,
): { readonly correlationId: number; readonly body: Decoded<S> } {
  const reader = new Reader(payload);
  const { correlationId } = responseHeader.read(reader, responseHeaderVersion(api, version));
  const body = api.response.read(reader, version);
  reader.expectEnd();
  return { correlationId, body };
}
