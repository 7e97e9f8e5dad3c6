import { defineApi } from '../api.js';

export const describeConfigsApi = defineApi({
  key: 32,
  name: 'DescribeConfigs',
  versions: '1-4',
  flexible: '4+',
  request: {
    resources: { type: '[]struct', versions: '0+', of: {
      resourceType: { type: 'int8', versions: '0+' },
      resourceName: { type: 'string', versions: '0+' },
      configurationKeys: { type: '[]string', versions: '0+', nullable: '0+' },
    } },
    includeSynonyms: { type: 'bool', versions: '1+' },
    includeDocumentation: { type: 'bool', versions: '3+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '0+' },
    results: { type: '[]struct', versions: '0+', of: {
      errorCode: { type: 'int16', versions: '0+' },
      errorMessage: { type: 'string', versions: '0+', nullable: '0+' },
      resourceType: { type: 'int8', versions: '0+' },
      resourceName: { type: 'string', versions: '0+' },
      configs: { type: '[]struct', versions: '0+', of: {
        name: { type: 'string', versions: '0+' },
        value: { type: 'string', versions: '0+', nullable: '0+' },
        readOnly: { type: 'bool', versions: '0+' },
        configSource: { type: 'int8', versions: '1+', default: -1, ignorable: true },
        isSensitive: { type: 'bool', versions: '0+' },
        synonyms: { type: '[]struct', versions: '1+', ignorable: true, of: {
          name: { type: 'string', versions: '1+' },
          value: { type: 'string', versions: '1+', nullable: '0+' },
          source: { type: 'int8', versions: '1+' },
        } },
        configType: { type: 'int8', versions: '3+', ignorable: true },
        documentation: { type: 'string', versions: '3+', nullable: '0+', ignorable: true },
      } },
    } },
  },
});
