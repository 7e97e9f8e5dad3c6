import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorCode } from '../../src/protocol/errors.js';
import { apiVersionsApi } from '../../src/protocol/messages/18-api-versions.js';
import { metadataApi } from '../../src/protocol/messages/03-metadata.js';
import { type Target, startTarget } from './support/target.js';

let target: Target;
before(async () => {
  target = await startTarget();
});
after(() => target.stop());

/** What Kafka 4.4 serves of these keys. */
const RANGES: Readonly<Record<number, readonly [number, number]>> = {
  0: [0, 13], 1: [4, 18], 2: [1, 11], 3: [0, 13], 10: [0, 6], 18: [0, 5], 19: [2, 7], 20: [1, 6], 21: [0, 2], 22: [0, 5], 23: [2, 4],
  32: [1, 4], 33: [0, 2], 35: [1, 5], 37: [0, 3], 44: [0, 1], 60: [0, 2], 74: [0, 1], 75: [0, 0],
};
/** And of those that are served by the coordinator of groups. */
const GROUP_RANGES: Readonly<Record<number, readonly [number, number]>> = {
  8: [2, 10], 9: [1, 10], 11: [0, 9], 12: [0, 4], 13: [0, 5], 14: [0, 5], 15: [0, 6], 16: [0, 5], 42: [0, 3], 47: [0, 0], 68: [0, 1],
};

const client = { clientSoftwareName: 'sluice-test', clientSoftwareVersion: '1.0' };

test('every version tells the same ranges', async () => {
  for (let version = 0; version <= 5; version += 1) {
    const answer = await target.ask(apiVersionsApi, version, version >= 3 ? client : {});
    assert.equal(answer.errorCode, 0, `version ${version}`);
    const told = new Map(answer.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]));
    for (const [key, range] of Object.entries({ ...RANGES, ...GROUP_RANGES })) {
      assert.deepEqual(told.get(Number(key)), range, `key ${key} in version ${version}`);
    }
    if (target.kind !== 'kafka') assert.equal(told.size, Object.keys(RANGES).length + Object.keys(GROUP_RANGES).length);
  }
});

test('only features that are served are finalized', async (context) => {
  if (target.kind === 'kafka') return context.skip('Apache Kafka has more features');
  const { supportedFeatures, finalizedFeatures, finalizedFeaturesEpoch } = await target.ask(apiVersionsApi, 4, client);
  assert.deepEqual(finalizedFeatures, [
    { name: 'metadata.version', maxVersionLevel: 33, minVersionLevel: 33 },
    { name: 'eligible.leader.replicas.version', maxVersionLevel: 1, minVersionLevel: 1 },
  ]);
  const range = (name: string, minVersion: number, maxVersion: number) => ({ name, minVersion, maxVersion });
  const metadata = range('metadata.version', 7, 33);
  assert.deepEqual(supportedFeatures, [metadata, range('kraft.version', 0, 1), range('eligible.leader.replicas.version', 0, 1)]);
  // A minimum of 0 was not allowed before.
  assert.deepEqual((await target.ask(apiVersionsApi, 3, client)).supportedFeatures, [metadata]);
  assert.ok(finalizedFeaturesEpoch > 0n);
});

test('metadata.version is finalized at the level of Kafka 4.4', async () => {
  const { finalizedFeatures } = await target.ask(apiVersionsApi, 4, client);
  assert.equal(finalizedFeatures.find(({ name }) => name === 'metadata.version')?.maxVersionLevel, 33);
});

test('a version that is too new is answered in version 0, with the versions that there are', async () => {
  const answer = await target.askRaw(apiVersionsApi, 99, Buffer.alloc(0), 0);
  assert.equal(answer.errorCode, errorCode('UNSUPPORTED_VERSION'));
  assert.deepEqual(answer.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, minVersion, maxVersion]), [[18, 0, 5]]);
});

test('a client that does not say properly what it is', async () => {
  for (const wrong of ['', ' ', '-x', 'x-', 'ä']) {
    const { errorCode: code } = await target.ask(apiVersionsApi, 3, { ...client, clientSoftwareName: wrong });
    assert.equal(code, errorCode('INVALID_REQUEST'), `'${wrong}'`);
  }
});

test('a client that looks for another cluster or node is sent back to its bootstrap servers', async () => {
  const { clusterId, brokers } = await target.ask(metadataApi, 12, { topics: [] });
  const { nodeId } = brokers[0]!;
  const ask = async (request: { clusterId: string | null; nodeId: number }) =>
    (await target.ask(apiVersionsApi, 5, { ...client, ...request })).errorCode;
  assert.equal(await ask({ clusterId, nodeId }), 0);
  assert.equal(await ask({ clusterId: 'AAAAAAAAAAAAAAAAAAAAAA', nodeId }), errorCode('REBOOTSTRAP_REQUIRED'));
  assert.equal(await ask({ clusterId, nodeId: nodeId + 1 }), errorCode('REBOOTSTRAP_REQUIRED'));
  assert.equal(await ask({ clusterId, nodeId: -1 }), errorCode('INVALID_REQUEST'));
  assert.equal(await ask({ clusterId: null, nodeId }), errorCode('INVALID_REQUEST'));
});
