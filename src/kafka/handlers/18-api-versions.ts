// ApiVersions, versions 0-5: what is served. The first request of most clients.
// A version that is too new is answered in version 0 (dispatch.ts). 3: the client says what software it is; features.
// 4: features may have a minimum of 0. 5: the client says which broker it believes to talk to.
import { errorCode } from '../../protocol/errors.js';
import { apiVersionsApi } from '../../protocol/messages/18-api-versions.js';
import { type BrokerServices } from '../services.js';
import { defineHandler } from '../registry.js';

const MINIMUM_OF_0_SINCE = 4;
const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;

function features(version: number, broker: BrokerServices) {
  const { image } = broker.metadata;
  const told = broker.supportedFeatures.filter(({ min }) => min > 0 || version >= MINIMUM_OF_0_SINCE);
  return {
    supportedFeatures: told.map(({ name, min, max }) => ({ name, minVersion: min, maxVersion: max })),
    finalizedFeaturesEpoch: image.offset,
    // A directory that Kafka formatted may name features which nothing here serves: clients must not count on those.
    finalizedFeatures: broker.supportedFeatures.flatMap(({ name }) => {
      const level = image.features.get(name);
      return level === undefined ? [] : [{ name, minVersionLevel: level, maxVersionLevel: level }];
    }),
  };
}

export const apiVersionsHandler = defineHandler({
  api: apiVersionsApi,
  handle(request, { header, broker }) {
    const { apiVersion } = header;
    if (apiVersion >= 5 && (request.clusterId === null) !== (request.nodeId === -1)) {
      return { errorCode: errorCode('INVALID_REQUEST') };
    }
    if (apiVersion >= 3 && !(SOFTWARE.test(request.clientSoftwareName) && SOFTWARE.test(request.clientSoftwareVersion))) {
      return { errorCode: errorCode('INVALID_REQUEST') };
    }
    const isElsewhere = request.clusterId !== broker.clusterId || request.nodeId !== broker.config.nodeId;
    if (request.clusterId !== null && isElsewhere) return { errorCode: errorCode('REBOOTSTRAP_REQUIRED') };
    return { errorCode: 0, apiKeys: broker.apiVersions, ...features(apiVersion, broker) };
  },
  failed(_request, { code }) {
    return { errorCode: code };
  },
});
