// What the controller decides about topics: from the image and a request to records and results. Pure.
import { type KafkaErrorName } from '../protocol/errors.js';
import { partitionRecord, removeTopicRecord, topicRecord, configRecord } from '../protocol/records/metadata/index.js';
import { METADATA_VERSION_FEATURE, MINIMUM_METADATA_VERSION, recordVersions } from './features.js';
import { type MetadataImage, resourceTypes, topicById } from './image.js';
import { KafkaError, plainError } from './kafka-error.js';
import { METADATA_TOPIC } from './ids.js';
import { type NewRecord, RecordList, makeRecord } from './records.js';
import { type Plan } from './store.js';
import { canCollide, collisionKey, topicNameProblem } from './topic-names.js';

/** As many as Kafka's controller makes for one request. */
export const MAX_PARTITIONS_PER_REQUEST = 10_000;

export interface TopicEnvironment {
  readonly brokerId: number;
  readonly directoryId: string;
  readonly defaultPartitions: number;
  readonly defaultReplicationFactor: number;
  newId(): string;
  /** Why these overrides are not valid for a topic, or null. */
  topicConfigProblem(overrides: ReadonlyMap<string, string>): string | null;
}

export interface Assignment {
  readonly partitionIndex: number;
  readonly brokerIds: readonly number[];
}

export interface TopicToCreate {
  readonly name: string;
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly assignments: readonly Assignment[];
  readonly configs: readonly { readonly name: string; readonly value: string | null }[];
}

export interface CreatedTopic {
  readonly name: string;
  readonly id: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly overrides: ReadonlyMap<string, string>;
}

export type Outcome<T> = { readonly ok: T } | { readonly error: KafkaError };

function fail(name: KafkaErrorName, message?: string): never {
  throw new KafkaError(name, message);
}

function attempt<T>(run: () => T): Outcome<T> {
  try {
    return { ok: run() };
  } catch (error) {
    if (error instanceof KafkaError) return { error };
    throw error;
  }
}

export function metadataVersionOf(image: MetadataImage): number {
  return image.features.get(METADATA_VERSION_FEATURE) ?? MINIMUM_METADATA_VERSION;
}

function checkAssignment(brokerIds: readonly number[], replicationFactor: number | undefined, env: TopicEnvironment): void {
  if (brokerIds.length === 0) {
    fail('INVALID_REPLICA_ASSIGNMENT', 'The manual partition assignment includes an empty replica list.');
  }
  const sorted = [...brokerIds].sort((a, b) => a - b);
  for (const [index, id] of sorted.entries()) {
    if (id !== env.brokerId) {
      fail('INVALID_REPLICA_ASSIGNMENT', `The manual partition assignment includes broker ${id}, but no such broker is registered.`);
    }
    if (index > 0 && sorted[index - 1] === id) {
      fail('INVALID_REPLICA_ASSIGNMENT', `The manual partition assignment includes the broker ${id} more than once.`);
    }
  }
  if (replicationFactor !== undefined && sorted.length !== replicationFactor) {
    fail(
      'INVALID_REPLICA_ASSIGNMENT',
      `The manual partition assignment includes a partition with ${sorted.length} replica(s), but this is not consistent ` +
        `with previous partitions, which have ${replicationFactor} replica(s).`,
    );
  }
}

function partitionsOfAssignments(topic: TopicToCreate, env: TopicEnvironment): number {
  if (topic.replicationFactor !== -1) {
    fail('INVALID_REQUEST', 'A manual partition assignment was specified, but replication factor was not set to -1.');
  }
  if (topic.numPartitions !== -1) {
    fail('INVALID_REQUEST', 'A manual partition assignment was specified, but numPartitions was not set to -1.');
  }
  const seen = new Set<number>();
  let replicationFactor: number | undefined;
  for (const { partitionIndex, brokerIds } of topic.assignments) {
    if (seen.has(partitionIndex)) {
      fail('INVALID_REPLICA_ASSIGNMENT', `Found multiple manual partition assignments for partition ${partitionIndex}`);
    }
    checkAssignment(brokerIds, replicationFactor, env);
    replicationFactor = brokerIds.length;
    seen.add(partitionIndex);
  }
  for (let index = 0; index < seen.size; index += 1) {
    if (!seen.has(index)) {
      fail('INVALID_REPLICA_ASSIGNMENT', 'partitions should be a consecutive 0-based integer sequence');
    }
  }
  return seen.size;
}

function partitionsToPlace(topic: TopicToCreate, env: TopicEnvironment): number {
  if (topic.replicationFactor < -1 || topic.replicationFactor === 0) {
    fail('INVALID_REPLICATION_FACTOR', 'Replication factor must be larger than 0, or -1 to use the default value.');
  }
  if (topic.numPartitions < -1 || topic.numPartitions === 0) {
    fail('INVALID_PARTITIONS', 'Number of partitions was set to an invalid non-positive value.');
  }
  const factor = topic.replicationFactor === -1 ? env.defaultReplicationFactor : topic.replicationFactor;
  if (factor !== 1) {
    fail(
      'INVALID_REPLICATION_FACTOR',
      `Unable to replicate the partition ${factor} time(s): The target replication factor of ${factor} cannot be reached ` +
        'because only 1 broker(s) are registered or some brokers have all their log directories cordoned.',
    );
  }
  return topic.numPartitions === -1 ? env.defaultPartitions : topic.numPartitions;
}

function partitionRecords(
  image: MetadataImage, topicId: string, from: number, count: number, env: TopicEnvironment,
): NewRecord[] {
  const version = recordVersions(metadataVersionOf(image)).partition;
  return Array.from({ length: count }, (_, index) => makeRecord(partitionRecord, version, {
    partitionId: from + index,
    topicId,
    replicas: [env.brokerId],
    isr: [env.brokerId],
    leader: env.brokerId,
    leaderEpoch: 0,
    partitionEpoch: 0,
    ...(version >= 1 ? { directories: [env.directoryId] } : {}),
  }));
}

function overridesOf(topic: TopicToCreate, env: TopicEnvironment): Map<string, string> {
  const nulls = topic.configs.filter(({ value }) => value === null).map(({ name }) => name);
  if (nulls.length > 0) fail('INVALID_CONFIG', `Null value not supported for topic configs: ${nulls.join(',')}`);
  const overrides = new Map<string, string>();
  for (const { name, value } of topic.configs) overrides.set(name, value ?? '');
  const problem = overrides.size === 0 ? null : env.topicConfigProblem(overrides);
  if (problem !== null) fail('INVALID_CONFIG', problem);
  return overrides;
}

function planTopic(image: MetadataImage, topic: TopicToCreate, env: TopicEnvironment): { created: CreatedTopic; records: NewRecord[] } {
  if (topic.name === METADATA_TOPIC) {
    fail('INVALID_REQUEST', `Creation of internal topic ${METADATA_TOPIC} is prohibited.`);
  }
  if (image.topics.has(topic.name)) fail('TOPIC_ALREADY_EXISTS', `Topic '${topic.name}' already exists.`);
  const problem = topicNameProblem(topic.name);
  if (problem !== null) fail('INVALID_TOPIC_EXCEPTION', `Topic name is invalid: ${problem}`);
  const collision = canCollide(topic.name) ? image.collidingNames.get(collisionKey(topic.name))?.[0] : undefined;
  if (collision !== undefined) {
    fail('INVALID_TOPIC_EXCEPTION', `Topic '${topic.name}' collides with existing topic: ${collision}`);
  }
  const overrides = overridesOf(topic, env);
  const byHand = topic.assignments.length > 0;
  const partitions = byHand ? partitionsOfAssignments(topic, env) : partitionsToPlace(topic, env);
  const id = env.newId();
  const records = [makeRecord(topicRecord, 0, { name: topic.name, topicId: id })];
  for (const [name, value] of overrides) {
    records.push(makeRecord(configRecord, 0, { resourceType: resourceTypes.topic, resourceName: topic.name, name, value }));
  }
  records.push(...partitionRecords(image, id, 0, partitions, env));
  return { created: { name: topic.name, id, partitions, replicationFactor: 1, overrides }, records };
}

/** Counted before anything else is looked at: a request that is too large fails as a whole, whatever is wrong with its parts. */
function checkTotal(what: string, counts: readonly number[]): void {
  const total = counts.reduce((sum, count) => sum + Math.max(0, count), 0);
  if (total > MAX_PARTITIONS_PER_REQUEST) fail('POLICY_VIOLATION', `Excessively large number of ${what} per request.`);
}

export function planCreateTopics(
  image: MetadataImage, topics: readonly TopicToCreate[], env: TopicEnvironment,
): Plan<Outcome<CreatedTopic>[]> {
  checkTotal('partitions', topics.map(({ name, numPartitions, assignments }) => {
    if (name === METADATA_TOPIC) return 0;
    if (assignments.length > 0) return assignments.length;
    return numPartitions === -1 ? env.defaultPartitions : numPartitions;
  }));
  const list = new RecordList();
  const result = topics.map((topic) => {
    const planned = attempt(() => planTopic(image, topic, env));
    if ('error' in planned) return planned;
    list.add(planned.ok.records);
    return { ok: planned.ok.created };
  });
  return { records: list.records, result };
}

export function planDeleteTopics(image: MetadataImage, ids: readonly string[]): Plan<Outcome<void>[]> {
  const list = new RecordList();
  const result = ids.map((topicId): Outcome<void> => {
    if (topicById(image, topicId) === undefined) {
      return { error: plainError('UNKNOWN_TOPIC_ID') };
    }
    list.add([makeRecord(removeTopicRecord, 0, { topicId })]);
    return { ok: undefined };
  });
  return { records: list.records, result };
}

export interface PartitionsToAdd {
  readonly name: string;
  readonly count: number;
  readonly assignments: readonly { readonly brokerIds: readonly number[] }[] | null;
}

function planPartitions(image: MetadataImage, wish: PartitionsToAdd, env: TopicEnvironment): NewRecord[] {
  const topic = image.topics.get(wish.name);
  if (topic === undefined) fail('UNKNOWN_TOPIC_OR_PARTITION');
  const existing = topic.partitions.length;
  if (wish.count === existing) fail('INVALID_PARTITIONS', `Topic already has ${existing} partition(s).`);
  if (wish.count < existing) {
    fail(
      'INVALID_PARTITIONS',
      `The topic ${wish.name} currently has ${existing} partition(s); ${wish.count} would not be an increase.`,
    );
  }
  const additional = wish.count - existing;
  if (wish.assignments !== null) {
    if (wish.assignments.length !== additional) {
      fail(
        'INVALID_REPLICA_ASSIGNMENT',
        `Attempted to add ${additional} additional partition(s), but only ${wish.assignments.length} assignment(s) were specified.`,
      );
    }
    const factor = topic.partitions[0]?.replicas.length ?? 1;
    for (const { brokerIds } of wish.assignments) checkAssignment(brokerIds, factor, env);
  }
  return partitionRecords(image, topic.id, existing, additional, env);
}

export function planCreatePartitions(
  image: MetadataImage, wishes: readonly PartitionsToAdd[], env: TopicEnvironment,
): Plan<Outcome<void>[]> {
  checkTotal('additional partitions', wishes.map(({ name, count }) => {
    const existing = image.topics.get(name)?.partitions.length;
    return existing === undefined || count < 0 ? 0 : count - existing;
  }));
  const records: NewRecord[] = [];
  const result = wishes.map((wish) => attempt(() => {
    for (const record of planPartitions(image, wish, env)) records.push(record);
  }));
  return { records, result };
}
