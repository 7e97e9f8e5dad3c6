import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ProtocolError, Reader, apiName, apiOfKey, apiOfName, apiVersionsApi, apis, decodeResponse, encodeRequest,
  encodeResponse, fetchApi, initProducerIdApi, metadataApi, readRequestHeader, requestHeaderVersion,
  responseHeaderVersion, saslHandshakeApi,
} from '../../../src/protocol/index.js';

test('keys are listed once, in order', () => {
  const keys = apis.map((api) => api.key);
  assert.deepEqual(keys, [...new Set(keys)].sort((a, b) => a - b));
  for (const api of apis) {
    assert.equal(apiOfKey(api.key), api);
    assert.equal(apiOfName(api.name), api);
    assert.equal(apiName(api.key), api.name);
  }
  assert.equal(apiOfKey(4), undefined);
  assert.equal(apiName(4), 'key 4');
});

test('an unreleased top version is not stable', () => {
  assert.deepEqual([initProducerIdApi.versions.max, initProducerIdApi.stableVersions.max], [6, 5]);
  assert.equal(fetchApi.stableVersions, fetchApi.versions);
});

test('header versions follow the flexible versions, but ApiVersions never answers with tags', () => {
  assert.deepEqual([requestHeaderVersion(fetchApi, 11), responseHeaderVersion(fetchApi, 11)], [1, 0]);
  assert.deepEqual([requestHeaderVersion(fetchApi, 12), responseHeaderVersion(fetchApi, 12)], [2, 1]);
  assert.deepEqual([requestHeaderVersion(saslHandshakeApi, 1), responseHeaderVersion(saslHandshakeApi, 1)], [1, 0]);
  assert.deepEqual([requestHeaderVersion(apiVersionsApi, 2), responseHeaderVersion(apiVersionsApi, 2)], [1, 0]);
  assert.deepEqual([requestHeaderVersion(apiVersionsApi, 4), responseHeaderVersion(apiVersionsApi, 4)], [2, 0]);
  assert.equal(requestHeaderVersion(apiVersionsApi, 99), 2);
});

test('a request frame is size, header, body', () => {
  const frame = encodeRequest(metadataApi, 4, { correlationId: 7, clientId: 'me' }, { topics: null });
  assert.equal(frame.toString('hex'), '00000011' + '0003' + '0004' + '00000007' + '00026d65' + 'ffffffff' + '01');
  const flexible = encodeRequest(apiVersionsApi, 3, { correlationId: 7, clientId: null }, { clientSoftwareName: 'a' });
  const text = '0000000f' + '0012' + '0003' + '00000007' + 'ffff' + '00' + '0261' + '01' + '00';
  assert.equal(flexible.toString('hex'), text);
  const reader = new Reader(flexible, { start: 4 });
  const header = readRequestHeader(reader);
  assert.deepEqual(header, { requestApiKey: 18, requestApiVersion: 3, correlationId: 7, clientId: null });
  assert.equal(apiVersionsApi.request.read(reader, 3).clientSoftwareName, 'a');
});

test('a header can be read where its version is unknown, and not where its key is', () => {
  const header = (hex: string) => readRequestHeader(new Reader(Buffer.from(hex, 'hex')));
  assert.equal(header('0012' + '0063' + '00000007' + 'ffff' + '00').requestApiVersion, 99);
  const refused = (kind: string) => (error: unknown) => error instanceof ProtocolError && error.kind === kind;
  assert.throws(() => header('0004' + '0000' + '00000007' + 'ffff'), refused('unsupported-version'));
  assert.throws(() => header('0012'), refused('truncated'));
  assert.throws(() => header('0012' + '0003' + '0000'), refused('truncated'));
});

test('a response frame goes there and back', () => {
  const frame = encodeResponse(fetchApi, 12, 5, { sessionId: 9 });
  assert.equal(frame.readInt32BE(0), frame.length - 4);
  const { correlationId, body } = decodeResponse(fetchApi, 12, frame.subarray(4));
  assert.deepEqual([correlationId, body.sessionId], [5, 9]);
});
