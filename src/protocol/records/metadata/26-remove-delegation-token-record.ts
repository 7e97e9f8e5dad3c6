import { defineMetadataRecord } from './define.js';

export const removeDelegationTokenRecord = defineMetadataRecord({
  type: 26,
  name: 'RemoveDelegationTokenRecord',
  versions: '0',
  flexible: '0+',
  fields: {
    tokenId: { type: 'string', versions: '0+' },
  },
});
