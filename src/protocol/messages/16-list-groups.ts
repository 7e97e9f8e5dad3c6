import { defineApi } from '../api.js';

export const listGroupsApi = defineApi({
  key: 16,
  name: 'ListGroups',
  versions: '0-5',
  flexible: '3+',
  request: {
    statesFilter: { type: '[]string', versions: '4+' },
    typesFilter: { type: '[]string', versions: '5+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '1+', ignorable: true },
    errorCode: { type: 'int16', versions: '0+' },
    groups: { type: '[]struct', versions: '0+', of: {
      groupId: { type: 'string', versions: '0+' },
      protocolType: { type: 'string', versions: '0+' },
      groupState: { type: 'string', versions: '4+', ignorable: true },
      groupType: { type: 'string', versions: '5+', ignorable: true },
    } },
  },
});
