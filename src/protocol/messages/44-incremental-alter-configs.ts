import { defineApi } from '../api.js';

export const incrementalAlterConfigsApi = defineApi({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: '0-1',
  flexible: '1+',
  request: {
    resources: { type: '[]struct', versions: '0+', of: {
      resourceType: { type: 'int8', versions: '0+' },
      resourceName: { type: 'string', versions: '0+' },
      configs: { type: '[]struct', versions: '0+', of: {
        name: { type: 'string', versions: '0+' },
        configOperation: { type: 'int8', versions: '0+' },
        value: { type: 'string', versions: '0+', nullable: '0+' },
      } },
    } },
    validateOnly: { type: 'bool', versions: '0+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '0+' },
    responses: { type: '[]struct', versions: '0+', of: {
      errorCode: { type: 'int16', versions: '0+' },
      errorMessage: { type: 'string', versions: '0+', nullable: '0+' },
      resourceType: { type: 'int8', versions: '0+' },
      resourceName: { type: 'string', versions: '0+' },
    } },
  },
});
