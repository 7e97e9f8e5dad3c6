import { defineMetadataRecord } from './define.js';

export const registerBrokerRecord = defineMetadataRecord({
  type: 0,
  name: 'RegisterBrokerRecord',
  versions: '0-4',
  flexible: '0+',
  fields: {
    brokerId: { type: 'int32', versions: '0+' },
    isMigratingZkBroker: { type: 'bool', versions: '2+' },
    incarnationId: { type: 'uuid', versions: '0+' },
    brokerEpoch: { type: 'int64', versions: '0+' },
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
    rack: { type: 'string', versions: '0+', nullable: '0+' },
    fenced: { type: 'bool', versions: '0+', default: true },
    inControlledShutdown: { type: 'bool', versions: '1+' },
    logDirs: { type: '[]uuid', versions: '3+', tag: 0, tagged: '3+' },
    cordonedLogDirs: { type: '[]uuid', versions: '4+', nullable: '4+', tag: 1, tagged: '4+', default: null },
  },
});
