import { defineMetadataRecord } from './define.js';

export const registerControllerRecord = defineMetadataRecord({
  type: 27,
  name: 'RegisterControllerRecord',
  versions: '0',
  flexible: '0+',
  fields: {
    controllerId: { type: 'int32', versions: '0+' },
    incarnationId: { type: 'uuid', versions: '0+' },
    zkMigrationReady: { type: 'bool', versions: '0+' },
    endPoints: { type: '[]struct', versions: '0+', of: {
      name: { type: 'string', versions: '0+' },
      host: { type: 'string', versions: '0+' },
      port: { type: 'uint16', versions: '0+' },
      securityProtocol: { type: 'int16', versions: '0+' },
    } },
    features: { type: '[]struct', versions: '0+', of: {
      name: { type: 'string', versions: '0+' },
      minSupportedVersion: { type: 'int16', versions: '0+' },
      maxSupportedVersion: { type: 'int16', versions: '0+' },
    } },
  },
});
