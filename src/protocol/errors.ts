// Kafka's error codes: code, whether a client may simply try again, and what it means in a few words.

interface ErrorRow {
  readonly code: number;
  readonly retriable: boolean;
  readonly message: string;
}

function fatal<const C extends number>(code: C, message: string) {
  return { code, retriable: false, message } as const;
}

function retriable<const C extends number>(code: C, message: string) {
  return { code, retriable: true, message } as const;
}

export const kafkaErrors = {
  UNKNOWN_SERVER_ERROR: fatal(-1, 'Something unexpected went wrong in the broker.'),
  NONE: fatal(0, 'No error.'),
  OFFSET_OUT_OF_RANGE: fatal(1, 'The log does not hold the requested offset.'),
  CORRUPT_MESSAGE: retriable(2, 'A record batch is damaged: wrong checksum, wrong size or missing key.'),
  UNKNOWN_TOPIC_OR_PARTITION: retriable(3, 'This broker does not have the topic or partition.'),
  INVALID_FETCH_SIZE: fatal(4, 'The size to fetch makes no sense.'),
  LEADER_NOT_AVAILABLE: retriable(5, 'The partition has no leader at the moment.'),
  NOT_LEADER_OR_FOLLOWER: retriable(6, 'This broker does not lead the partition, or has no replica of it.'),
  REQUEST_TIMED_OUT: retriable(7, 'The request took longer than its timeout.'),
  BROKER_NOT_AVAILABLE: fatal(8, 'The broker cannot be reached.'),
  REPLICA_NOT_AVAILABLE: retriable(9, 'The replica cannot be reached.'),
  MESSAGE_TOO_LARGE: fatal(10, 'A record batch is larger than the topic allows.'),
  STALE_CONTROLLER_EPOCH: fatal(11, 'Another controller has taken over.'),
  OFFSET_METADATA_TOO_LARGE: fatal(12, 'The text committed with an offset is too long.'),
  NETWORK_EXCEPTION: retriable(13, 'The connection ended before the answer came.'),
  COORDINATOR_LOAD_IN_PROGRESS: retriable(14, 'The coordinator is still loading.'),
  COORDINATOR_NOT_AVAILABLE: retriable(15, 'There is no coordinator at the moment.'),
  NOT_COORDINATOR: retriable(16, 'This broker does not coordinate that group or transactional id.'),
  INVALID_TOPIC_EXCEPTION: fatal(17, 'The topic name is not valid, or the topic does not allow this.'),
  RECORD_LIST_TOO_LARGE: fatal(18, 'A record batch is larger than a segment of the log may be.'),
  NOT_ENOUGH_REPLICAS: retriable(19, 'Too few replicas are in sync to accept the write.'),
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: retriable(20, 'The write was made while too few replicas were in sync.'),
  INVALID_REQUIRED_ACKS: fatal(21, 'acks must be -1, 0 or 1.'),
  ILLEGAL_GENERATION: fatal(22, 'The group has moved on to another generation.'),
  INCONSISTENT_GROUP_PROTOCOL: fatal(23, 'The member shares no protocol with the rest of the group.'),
  INVALID_GROUP_ID: fatal(24, 'The group id is not valid.'),
  UNKNOWN_MEMBER_ID: fatal(25, 'The group has no such member.'),
  INVALID_SESSION_TIMEOUT: fatal(26, 'The session timeout is outside of what the broker allows.'),
  REBALANCE_IN_PROGRESS: fatal(27, 'The group is rebalancing; join it again.'),
  INVALID_COMMIT_OFFSET_SIZE: fatal(28, 'The offset commit is too large.'),
  TOPIC_AUTHORIZATION_FAILED: fatal(29, 'Not permitted on this topic.'),
  GROUP_AUTHORIZATION_FAILED: fatal(30, 'Not permitted on this group.'),
  CLUSTER_AUTHORIZATION_FAILED: fatal(31, 'Not permitted on this cluster.'),
  INVALID_TIMESTAMP: fatal(32, 'A record is dated too far from now.'),
  UNSUPPORTED_SASL_MECHANISM: fatal(33, 'The broker does not offer that SASL mechanism.'),
  ILLEGAL_SASL_STATE: fatal(34, 'Not possible at this point of the SASL exchange.'),
  UNSUPPORTED_VERSION: fatal(35, 'The broker does not speak this version of the API.'),
  TOPIC_ALREADY_EXISTS: fatal(36, 'A topic of this name exists.'),
  INVALID_PARTITIONS: fatal(37, 'The number of partitions is not valid.'),
  INVALID_REPLICATION_FACTOR: fatal(38, 'The replication factor is not between 1 and the number of brokers.'),
  INVALID_REPLICA_ASSIGNMENT: fatal(39, 'The assignment of replicas is not valid.'),
  INVALID_CONFIG: fatal(40, 'A configuration value is not valid.'),
  NOT_CONTROLLER: retriable(41, 'This is not the active controller.'),
  INVALID_REQUEST: fatal(42, 'The request contradicts itself or the protocol.'),
  UNSUPPORTED_FOR_MESSAGE_FORMAT: fatal(43, 'The format of the records does not allow this.'),
  POLICY_VIOLATION: fatal(44, 'A policy of the broker forbids this.'),
  OUT_OF_ORDER_SEQUENCE_NUMBER: fatal(45, 'The producer left a gap in its sequence of batches.'),
  DUPLICATE_SEQUENCE_NUMBER: fatal(46, 'The producer sent a batch again.'),
  INVALID_PRODUCER_EPOCH: fatal(47, 'The producer uses an old epoch.'),
  INVALID_TXN_STATE: fatal(48, 'The transaction is not in a state that allows this.'),
  INVALID_PRODUCER_ID_MAPPING: fatal(49, 'The producer id does not belong to the transactional id.'),
  INVALID_TRANSACTION_TIMEOUT: fatal(50, 'The transaction timeout is longer than the broker allows.'),
  CONCURRENT_TRANSACTIONS: retriable(51, 'Another operation on the transaction is under way.'),
  TRANSACTION_COORDINATOR_FENCED: fatal(52, 'Another transaction coordinator has taken over.'),
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: fatal(53, 'Not permitted on this transactional id.'),
  SECURITY_DISABLED: fatal(54, 'The broker runs without security.'),
  OPERATION_NOT_ATTEMPTED: fatal(55, 'Not tried, since another part of the request failed.'),
  KAFKA_STORAGE_ERROR: retriable(56, 'The disk of this log failed.'),
  LOG_DIR_NOT_FOUND: fatal(57, 'The broker is not configured with this log directory.'),
  SASL_AUTHENTICATION_FAILED: fatal(58, 'Authentication failed.'),
  UNKNOWN_PRODUCER_ID: fatal(59, 'The log no longer knows this producer.'),
  REASSIGNMENT_IN_PROGRESS: fatal(60, 'The partition is being reassigned.'),
  DELEGATION_TOKEN_AUTH_DISABLED: fatal(61, 'Delegation tokens are not enabled.'),
  DELEGATION_TOKEN_NOT_FOUND: fatal(62, 'There is no such delegation token.'),
  DELEGATION_TOKEN_OWNER_MISMATCH: fatal(63, 'The principal neither owns the token nor may renew it.'),
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: fatal(64, 'Delegation tokens cannot be managed over this connection.'),
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: fatal(65, 'Not permitted on this delegation token.'),
  DELEGATION_TOKEN_EXPIRED: fatal(66, 'The delegation token has expired.'),
  INVALID_PRINCIPAL_TYPE: fatal(67, 'This type of principal is not supported.'),
  NON_EMPTY_GROUP: fatal(68, 'The group still has members.'),
  GROUP_ID_NOT_FOUND: fatal(69, 'There is no such group.'),
  FETCH_SESSION_ID_NOT_FOUND: retriable(70, 'There is no such fetch session.'),
  INVALID_FETCH_SESSION_EPOCH: retriable(71, 'The epoch does not follow that of the fetch session.'),
  LISTENER_NOT_FOUND: retriable(72, 'The leader has no listener of this name.'),
  TOPIC_DELETION_DISABLED: fatal(73, 'Topics may not be deleted here.'),
  FENCED_LEADER_EPOCH: retriable(74, 'The partition has a newer leader epoch than the request.'),
  UNKNOWN_LEADER_EPOCH: retriable(75, 'The request has a newer leader epoch than the partition.'),
  UNSUPPORTED_COMPRESSION_TYPE: fatal(76, 'The client cannot read the compression of these records.'),
  STALE_BROKER_EPOCH: fatal(77, 'The broker has registered again since.'),
  OFFSET_NOT_AVAILABLE: retriable(78, 'The new leader does not know yet how far the log is committed.'),
  MEMBER_ID_REQUIRED: fatal(79, 'Join again with the member id that was given.'),
  PREFERRED_LEADER_NOT_AVAILABLE: retriable(80, 'The preferred leader cannot be reached.'),
  GROUP_MAX_SIZE_REACHED: fatal(81, 'The group is full.'),
  FENCED_INSTANCE_ID: fatal(82, 'Another member has taken over this group instance id.'),
  ELIGIBLE_LEADERS_NOT_AVAILABLE: retriable(83, 'No replica may become the leader.'),
  ELECTION_NOT_NEEDED: retriable(84, 'The partition has the right leader already.'),
  NO_REASSIGNMENT_IN_PROGRESS: fatal(85, 'The partition is not being reassigned.'),
  GROUP_SUBSCRIBED_TO_TOPIC: fatal(86, 'The group still consumes the topic.'),
  INVALID_RECORD: fatal(87, 'A record breaks a rule of its topic.'),
  UNSTABLE_OFFSET_COMMIT: retriable(88, 'An open transaction may still change these offsets.'),
  THROTTLING_QUOTA_EXCEEDED: retriable(89, 'A quota is used up.'),
  PRODUCER_FENCED: fatal(90, 'A newer producer uses the same transactional id.'),
  RESOURCE_NOT_FOUND: fatal(91, 'There is no such resource.'),
  DUPLICATE_RESOURCE: fatal(92, 'The request names a resource twice.'),
  UNACCEPTABLE_CREDENTIAL: fatal(93, 'The credential is not good enough.'),
  INCONSISTENT_VOTER_SET: fatal(94, 'Sender and receiver do not agree on who votes.'),
  INVALID_UPDATE_VERSION: fatal(95, 'The version to update to is not valid.'),
  FEATURE_UPDATE_FAILED: fatal(96, 'The features could not be updated.'),
  PRINCIPAL_DESERIALIZATION_FAILURE: fatal(97, 'The principal of a forwarded request cannot be read.'),
  SNAPSHOT_NOT_FOUND: fatal(98, 'There is no such snapshot.'),
  POSITION_OUT_OF_RANGE: fatal(99, 'The position lies outside of the snapshot.'),
  UNKNOWN_TOPIC_ID: retriable(100, 'This broker does not have a topic with this id.'),
  DUPLICATE_BROKER_REGISTRATION: fatal(101, 'The broker id is in use.'),
  BROKER_ID_NOT_REGISTERED: fatal(102, 'No broker has registered this id.'),
  INCONSISTENT_TOPIC_ID: retriable(103, 'The topic of this name has another id.'),
  INCONSISTENT_CLUSTER_ID: fatal(104, 'The request is meant for another cluster.'),
  TRANSACTIONAL_ID_NOT_FOUND: fatal(105, 'There is no such transactional id.'),
  FETCH_SESSION_TOPIC_ID_ERROR: retriable(106, 'A fetch session must use either names or ids throughout.'),
  INELIGIBLE_REPLICA: fatal(107, 'A replica may not be in sync.'),
  NEW_LEADER_ELECTED: fatal(108, 'The change was made and the partition has another leader now.'),
  OFFSET_MOVED_TO_TIERED_STORAGE: fatal(109, 'The offset is held by remote storage.'),
  FENCED_MEMBER_EPOCH: fatal(110, 'The member is out of date; it must give up its partitions and join again.'),
  UNRELEASED_INSTANCE_ID: fatal(111, 'Another member still uses this instance id.'),
  UNSUPPORTED_ASSIGNOR: fatal(112, 'The group does not support this assignor.'),
  STALE_MEMBER_EPOCH: fatal(113, 'The member must learn its new epoch first.'),
  MISMATCHED_ENDPOINT_TYPE: fatal(114, 'This kind of endpoint does not answer the request.'),
  UNSUPPORTED_ENDPOINT_TYPE: fatal(115, 'This kind of endpoint is not supported.'),
  UNKNOWN_CONTROLLER_ID: fatal(116, 'There is no such controller.'),
  UNKNOWN_SUBSCRIPTION_ID: fatal(117, 'The telemetry subscription is out of date.'),
  TELEMETRY_TOO_LARGE: fatal(118, 'The telemetry is larger than the broker accepts.'),
  INVALID_REGISTRATION: fatal(119, 'The controller refused the registration of the broker.'),
  TRANSACTION_ABORTABLE: fatal(120, 'The transaction can only be aborted.'),
  INVALID_RECORD_STATE: fatal(121, 'The records are not in a state that can be acknowledged.'),
  SHARE_SESSION_NOT_FOUND: retriable(122, 'There is no such share session.'),
  INVALID_SHARE_SESSION_EPOCH: retriable(123, 'The epoch does not follow that of the share session.'),
  FENCED_STATE_EPOCH: fatal(124, 'The state of the share group has a newer epoch.'),
  INVALID_VOTER_KEY: fatal(125, 'The key of the voter is not that of this replica.'),
  DUPLICATE_VOTER: fatal(126, 'The replica votes already.'),
  VOTER_NOT_FOUND: fatal(127, 'The replica is not a voter.'),
  INVALID_REGULAR_EXPRESSION: fatal(128, 'The regular expression is not valid.'),
  REBOOTSTRAP_REQUIRED: fatal(129, 'The client must start again from its bootstrap servers.'),
  STREAMS_INVALID_TOPOLOGY: fatal(130, 'The topology is not valid.'),
  STREAMS_INVALID_TOPOLOGY_EPOCH: fatal(131, 'The epoch of the topology is not valid.'),
  STREAMS_TOPOLOGY_FENCED: fatal(132, 'The group has a newer topology.'),
  SHARE_SESSION_LIMIT_REACHED: retriable(133, 'The broker holds no more share sessions.'),
  GROUP_DELETION_FAILED: fatal(134, 'The group could not be deleted; its own message says why.'),
  STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED: fatal(135, 'The topology description was not taken; see its message.'),
  CONTROLLER_ID_NOT_REGISTERED: fatal(136, 'No controller has registered this id.'),
} as const satisfies Readonly<Record<string, ErrorRow>>;

export type KafkaErrorName = keyof typeof kafkaErrors;

export interface KafkaErrorEntry extends ErrorRow {
  readonly name: KafkaErrorName;
}

const byCode = new Map<number, KafkaErrorEntry>(
  Object.entries(kafkaErrors).map(([name, row]) => [row.code, { name: name as KafkaErrorName, ...row }]),
);

/** The code alone: `errorCode('NOT_COORDINATOR')`. */
export function errorCode(name: KafkaErrorName): number {
  return kafkaErrors[name].code;
}

export function errorOfCode(code: number): KafkaErrorEntry | undefined {
  return byCode.get(code);
}

/** `NOT_COORDINATOR` for 16, and a readable stand-in for a code that the table does not have. */
export function errorName(code: number): string {
  return byCode.get(code)?.name ?? `error ${code}`;
}
