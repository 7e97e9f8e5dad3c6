import { defineApi } from '../api.js';

export const syncGroupApi = defineApi({
  key: 14,
  name: 'SyncGroup',
  versions: '0-5',
  flexible: '4+',
  request: {
    groupId: { type: 'string', versions: '0+' },
    generationId: { type: 'int32', versions: '0+' },
    memberId: { type: 'string', versions: '0+' },
    groupInstanceId: { type: 'string', versions: '3+', nullable: '3+', default: null },
    protocolType: { type: 'string', versions: '5+', nullable: '5+', default: null, ignorable: true },
    protocolName: { type: 'string', versions: '5+', nullable: '5+', default: null, ignorable: true },
    assignments: { type: '[]struct', versions: '0+', of: {
      memberId: { type: 'string', versions: '0+' },
      assignment: { type: 'bytes', versions: '0+' },
    } },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '1+', ignorable: true },
    errorCode: { type: 'int16', versions: '0+' },
    protocolType: { type: 'string', versions: '5+', nullable: '5+', default: null, ignorable: true },
    protocolName: { type: 'string', versions: '5+', nullable: '5+', default: null, ignorable: true },
    assignment: { type: 'bytes', versions: '0+' },
  },
});
