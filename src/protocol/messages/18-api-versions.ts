import { defineApi } from '../api.js';

export const apiVersionsApi = defineApi({
  key: 18,
  name: 'ApiVersions',
  versions: '0-5',
  flexible: '3+',
  request: {
    clientSoftwareName: { type: 'string', versions: '3+', ignorable: true },
    clientSoftwareVersion: { type: 'string', versions: '3+', ignorable: true },
    clusterId: { type: 'string', versions: '5+', nullable: '5+', default: null, ignorable: true },
    nodeId: { type: 'int32', versions: '5+', default: -1, ignorable: true },
  },
  response: {
    errorCode: { type: 'int16', versions: '0+' },
    apiKeys: { type: '[]struct', versions: '0+', of: {
      apiKey: { type: 'int16', versions: '0+' },
      minVersion: { type: 'int16', versions: '0+' },
      maxVersion: { type: 'int16', versions: '0+' },
    } },
    throttleTimeMs: { type: 'int32', versions: '1+', ignorable: true },
    supportedFeatures: { type: '[]struct', versions: '3+', tag: 0, tagged: '3+', ignorable: true, of: {
      name: { type: 'string', versions: '3+' },
      minVersion: { type: 'int16', versions: '3+' },
      maxVersion: { type: 'int16', versions: '3+' },
    } },
    finalizedFeaturesEpoch: { type: 'int64', versions: '3+', tag: 1, tagged: '3+', default: -1n, ignorable: true },
    finalizedFeatures: { type: '[]struct', versions: '3+', tag: 2, tagged: '3+', ignorable: true, of: {
      name: { type: 'string', versions: '3+' },
      maxVersionLevel: { type: 'int16', versions: '3+' },
      minVersionLevel: { type: 'int16', versions: '3+' },
    } },
    zkMigrationReady: { type: 'bool', versions: '3+', tag: 3, tagged: '3+', ignorable: true },
  },
});
