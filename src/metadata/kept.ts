// Records that nothing here serves: controllers, access control, quotas, credentials, delegation tokens. They may stand in a log that Kafka wrote, and a
// snapshot must carry them on.
import { type AnyMetadataRecord } from './records.js';

export interface KeptChange {
  /** What the record is about: a later one of the same key replaces it. */
  readonly key: string;
  readonly isRemoval: boolean;
}

export function keptChange(record: AnyMetadataRecord): KeptChange | undefined {
  const at = (isRemoval: boolean, ...parts: readonly unknown[]): KeptChange => ({ key: JSON.stringify(parts), isRemoval });
  switch (record.name) {
    case 'RegisterControllerRecord': return at(false, 'controller', record.value.controllerId);
    case 'UnregisterControllerRecord': return at(true, 'controller', record.value.controllerId);
    case 'AccessControlEntryRecord': return at(false, 'acl', record.value.id);
    case 'RemoveAccessControlEntryRecord': return at(true, 'acl', record.value.id);
    case 'UserScramCredentialRecord': return at(false, 'scram', record.value.name, record.value.mechanism);
    case 'RemoveUserScramCredentialRecord': return at(true, 'scram', record.value.name, record.value.mechanism);
    case 'DelegationTokenRecord': return at(false, 'token', record.value.tokenId);
    case 'RemoveDelegationTokenRecord': return at(true, 'token', record.value.tokenId);
    case 'ZkMigrationStateRecord': return at(false, 'migration');
    case 'ClientQuotaRecord': {
      const entity = record.value.entity.map(({ entityType, entityName }) => [entityType, entityName]).sort();
      return at(record.value.remove, 'quota', entity, record.value.key);
    }
    default: return undefined;
  }
}
