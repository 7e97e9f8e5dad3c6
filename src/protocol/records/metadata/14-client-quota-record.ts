import { defineMetadataRecord } from './define.js';

export const clientQuotaRecord = defineMetadataRecord({
  type: 14,
  name: 'ClientQuotaRecord',
  versions: '0',
  flexible: '0+',
  fields: {
    entity: { type: '[]struct', versions: '0+', of: {
      entityType: { type: 'string', versions: '0+' },
      entityName: { type: 'string', versions: '0+', nullable: '0+' },
    } },
    key: { type: 'string', versions: '0+' },
    value: { type: 'float64', versions: '0+' },
    remove: { type: 'bool', versions: '0+' },
  },
});
