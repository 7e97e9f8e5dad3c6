import { defineApi } from '../api.js';

export const listConfigResourcesApi = defineApi({
  key: 74,
  name: 'ListConfigResources',
  versions: '0-1',
  flexible: '0+',
  request: {
    resourceTypes: { type: '[]int8', versions: '1+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '0+' },
    errorCode: { type: 'int16', versions: '0+' },
    configResources: { type: '[]struct', versions: '0+', of: {
      resourceName: { type: 'string', versions: '0+' },
      resourceType: { type: 'int8', versions: '1+', default: 16, ignorable: true },
    } },
  },
});
