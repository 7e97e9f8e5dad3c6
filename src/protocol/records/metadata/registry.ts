// Every record of the metadata log, one file per type.
import { registerBrokerRecord } from './00-register-broker-record.js';
import { unregisterBrokerRecord } from './01-unregister-broker-record.js';
import { topicRecord } from './02-topic-record.js';
import { partitionRecord } from './03-partition-record.js';
import { configRecord } from './04-config-record.js';
import { partitionChangeRecord } from './05-partition-change-record.js';
import { fenceBrokerRecord } from './07-fence-broker-record.js';
import { unfenceBrokerRecord } from './08-unfence-broker-record.js';
import { removeTopicRecord } from './09-remove-topic-record.js';
import { delegationTokenRecord } from './10-delegation-token-record.js';
import { userScramCredentialRecord } from './11-user-scram-credential-record.js';
import { featureLevelRecord } from './12-feature-level-record.js';
import { clientQuotaRecord } from './14-client-quota-record.js';
import { producerIdsRecord } from './15-producer-ids-record.js';
import { brokerRegistrationChangeRecord } from './17-broker-registration-change-record.js';
import { accessControlEntryRecord } from './18-access-control-entry-record.js';
import { removeAccessControlEntryRecord } from './19-remove-access-control-entry-record.js';
import { noOpRecord } from './20-no-op-record.js';
import { zkMigrationStateRecord } from './21-zk-migration-state-record.js';
import { removeUserScramCredentialRecord } from './22-remove-user-scram-credential-record.js';
import { beginTransactionRecord } from './23-begin-transaction-record.js';
import { endTransactionRecord } from './24-end-transaction-record.js';
import { abortTransactionRecord } from './25-abort-transaction-record.js';
import { removeDelegationTokenRecord } from './26-remove-delegation-token-record.js';
import { registerControllerRecord } from './27-register-controller-record.js';
import { clearElrRecord } from './28-clear-elr-record.js';
import { unregisterControllerRecord } from './29-unregister-controller-record.js';

export {
  registerBrokerRecord,
  unregisterBrokerRecord,
  topicRecord,
  partitionRecord,
  configRecord,
  partitionChangeRecord,
  fenceBrokerRecord,
  unfenceBrokerRecord,
  removeTopicRecord,
  delegationTokenRecord,
  userScramCredentialRecord,
  featureLevelRecord,
  clientQuotaRecord,
  producerIdsRecord,
  brokerRegistrationChangeRecord,
  accessControlEntryRecord,
  removeAccessControlEntryRecord,
  noOpRecord,
  zkMigrationStateRecord,
  removeUserScramCredentialRecord,
  beginTransactionRecord,
  endTransactionRecord,
  abortTransactionRecord,
  removeDelegationTokenRecord,
  registerControllerRecord,
  clearElrRecord,
  unregisterControllerRecord,
};

export const metadataRecords = [
  registerBrokerRecord,
  unregisterBrokerRecord,
  topicRecord,
  partitionRecord,
  configRecord,
  partitionChangeRecord,
  fenceBrokerRecord,
  unfenceBrokerRecord,
  removeTopicRecord,
  delegationTokenRecord,
  userScramCredentialRecord,
  featureLevelRecord,
  clientQuotaRecord,
  producerIdsRecord,
  brokerRegistrationChangeRecord,
  accessControlEntryRecord,
  removeAccessControlEntryRecord,
  noOpRecord,
  zkMigrationStateRecord,
  removeUserScramCredentialRecord,
  beginTransactionRecord,
  endTransactionRecord,
  abortTransactionRecord,
  removeDelegationTokenRecord,
  registerControllerRecord,
  clearElrRecord,
  unregisterControllerRecord,
] as const;
