import { defineMetadataRecord } from './define.js';

export const zkMigrationStateRecord = defineMetadataRecord({
  type: 21,
  name: 'ZkMigrationStateRecord',
  versions: '0',
  flexible: '0+',
  fields: {
    zkMigrationState: { type: 'int8', versions: '0+' },
  },
});
