import { defineMetadataRecord } from './define.js';

export const brokerRegistrationChangeRecord = defineMetadataRecord({
  type: 17,
  name: 'BrokerRegistrationChangeRecord',
  versions: '0-3',
  flexible: '0+',
  fields: {
    brokerId: { type: 'int32', versions: '0+' },
    brokerEpoch: { type: 'int64', versions: '0+' },
    fenced: { type: 'int8', versions: '0+', tag: 0, tagged: '0+' },
    inControlledShutdown: { type: 'int8', versions: '1+', tag: 1, tagged: '1+' },
    logDirs: { type: '[]uuid', versions: '2+', tag: 2, tagged: '2+' },
    cordonedLogDirs: { type: '[]uuid', versions: '3+', nullable: '3+', tag: 3, tagged: '3+', default: null },
  },
});
