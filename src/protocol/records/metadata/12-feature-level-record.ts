import { defineMetadataRecord } from './define.js';

export const featureLevelRecord = defineMetadataRecord({
  type: 12,
  name: 'FeatureLevelRecord',
  versions: '0',
  flexible: '0+',
  fields: {
    name: { type: 'string', versions: '0+' },
    featureLevel: { type: 'int16', versions: '0+' },
  },
});
