import { defineApi } from '../api.js';

export const leaveGroupApi = defineApi({
  key: 13,
  name: 'LeaveGroup',
  versions: '0-5',
  flexible: '4+',
  request: {
    groupId: { type: 'string', versions: '0+' },
    memberId: { type: 'string', versions: '0-2' },
    members: { type: '[]struct', versions: '3+', of: {
      memberId: { type: 'string', versions: '3+' },
      groupInstanceId: { type: 'string', versions: '3+', nullable: '3+', default: null },
      reason: { type: 'string', versions: '5+', nullable: '5+', default: null, ignorable: true },
    } },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '1+', ignorable: true },
    errorCode: { type: 'int16', versions: '0+' },
    members: { type: '[]struct', versions: '3+', of: {
      memberId: { type: 'string', versions: '3+' },
      groupInstanceId: { type: 'string', versions: '3+', nullable: '3+' },
      errorCode: { type: 'int16', versions: '3+' },
    } },
  },
});
