import { defineMetadataRecord } from './define.js';

export const delegationTokenRecord = defineMetadataRecord({
  type: 10,
  name: 'DelegationTokenRecord',
  versions: '0',
  flexible: '0+',
  fields: {
    owner: { type: 'string', versions: '0+' },
    requester: { type: 'string', versions: '0+' },
    renewers: { type: '[]string', versions: '0+' },
    issueTimestamp: { type: 'int64', versions: '0+' },
    maxTimestamp: { type: 'int64', versions: '0+' },
    expirationTimestamp: { type: 'int64', versions: '0+' },
    tokenId: { type: 'string', versions: '0+' },
  },
});
