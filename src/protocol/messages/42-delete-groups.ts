import { defineApi } from '../api.js';

export const deleteGroupsApi = defineApi({
  key: 42,
  name: 'DeleteGroups',
  versions: '0-3',
  flexible: '2+',
  request: {
    groupsNames: { type: '[]string', versions: '0+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '0+' },
    results: { type: '[]struct', versions: '0+', of: {
      groupId: { type: 'string', versions: '0+' },
      errorCode: { type: 'int16', versions: '0+' },
      errorMessage: { type: 'string', versions: '3+', nullable: '3+', default: null, ignorable: true },
    } },
  },
});
