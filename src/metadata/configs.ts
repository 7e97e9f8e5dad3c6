// What the controller decides about configurations: overrides of topics and of brokers. Pure.
import { type KafkaErrorName } from '../protocol/errors.js';
import { configRecord } from '../protocol/records/metadata/index.js';
import { inHashMapOrder } from '../util/java-hash.js';
import { ELIGIBLE_LEADERS_FEATURE } from './features.js';
import { type ConfigOverrides, type MetadataImage, overridesOf, resourceTypes } from './image.js';
import { parseNodeId } from './ids.js';
import { KafkaError } from './kafka-error.js';
import { type NewRecord, RecordList, makeRecord } from './records.js';
import { type Plan } from './store.js';
import { type Outcome } from './topics.js';
import { topicNameProblem } from './topic-names.js';

export const configOperations = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

export const MIN_IN_SYNC_REPLICAS = 'min.insync.replicas';

export function hasEligibleLeaders(image: MetadataImage): boolean {
  return (image.features.get(ELIGIBLE_LEADERS_FEATURE) ?? 0) >= 1;
}

export interface ConfigRules {
  readonly brokerId: number;
  /** Whether the setting is a list, to which APPEND and SUBTRACT apply; undefined: there is no such setting. */
  isList(resourceType: number, name: string): boolean | undefined;
  /** What is appended to and subtracted from where the resource has no override: the setting's default, whatever the broker has. */
  inherited(resourceType: number, name: string): string | null;
  /** Why these overrides as a whole are not valid, or null. */
  problem(resourceType: number, resourceName: string, overrides: ConfigOverrides): string | null;
}

export interface ConfigChange {
  readonly name: string;
  readonly operation: number;
  readonly value: string | null;
}

export interface ResourceChange {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly changes: readonly ConfigChange[];
  /** AlterConfigs: what is not named is taken away. */
  readonly replacesAll?: boolean;
}

function fail(name: KafkaErrorName, message: string): never {
  throw new KafkaError(name, message);
}

/** Splits as Java does: without the empty strings at the end, and nothing but commas becomes nothing. */
function split(list: string): string[] {
  const parts = list.split(',');
  while (list !== '' && parts.at(-1) === '') parts.pop();
  return parts;
}

/** A broker's settings are looked at by the broker, a topic's by the controller. */
function notAList(name: string, operation: number, resourceType: number): string {
  const what = operation === configOperations.append ? 'append' : 'subtract';
  if (resourceType === resourceTypes.broker) return `Config value ${what} is not allowed for config key: ${name}`;
  return `Can't ${what.toUpperCase()} to key ${name} because its type is not LIST.`;
}

/** Each of `taken` takes away one that is like it, the first. */
function withoutFirst(parts: readonly string[], taken: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const part of taken) left.set(part, (left.get(part) ?? 0) + 1);
  return parts.filter((part) => {
    const count = left.get(part) ?? 0;
    if (count > 0) left.set(part, count - 1);
    return count === 0;
  });
}

function newValue(change: ConfigChange, current: string | undefined, resourceType: number, rules: ConfigRules): string | null {
  const { name, operation } = change;
  switch (operation) {
    case configOperations.set: return change.value;
    case configOperations.delete: return null;
    case configOperations.append:
    case configOperations.subtract: {
      const isList = rules.isList(resourceType, name);
      if (isList === undefined && resourceType === resourceTypes.broker) fail('INVALID_CONFIG', `Unknown config name: ${name}`);
      if (isList !== true) fail('INVALID_CONFIG', notAList(name, operation, resourceType));
      // Parts keep the spaces that they came with, and differ by them.
      const parts = (current ?? rules.inherited(resourceType, name) ?? '').split(',').filter((part) => part !== '');
      const changed = split(change.value ?? '');
      if (operation === configOperations.append) {
        const known = new Set(parts);
        return [...parts, ...new Set(changed.filter((part) => !known.has(part)))].join(',');
      }
      return withoutFirst(parts, changed).join(',');
    }
    default: return fail('INVALID_REQUEST', `Unknown operations type ${operation}`);
  }
}

function checkTopicName(resourceName: string): void {
  if (resourceName === '') fail('INVALID_REQUEST', 'Default topic resources are not allowed.');
  const problem = topicNameProblem(resourceName);
  if (problem !== null) fail('INVALID_TOPIC_EXCEPTION', `Topic name is invalid: ${problem}`);
}

function checkResource({ resourceType, resourceName, changes }: ResourceChange, rules: ConfigRules): void {
  const names = new Set(changes.map(({ name }) => name));
  if (names.size !== changes.length) fail('INVALID_REQUEST', 'Error due to duplicate config keys');
  const nulls = changes.filter(({ value, operation }) => value === null && operation !== configOperations.delete);
  if (nulls.length > 0) {
    fail('INVALID_REQUEST', `Null value not supported for : ${nulls.map(({ name }) => name).join(', ')}`);
  }
  switch (resourceType) {
    case resourceTypes.topic: return;
    case resourceTypes.broker: {
      if (resourceName === '') return;
      const id = parseNodeId(resourceName);
      if (id === undefined) {
        fail('INVALID_REQUEST', `Node id must be an integer, but it is: ${resourceName}`);
      }
      if (id !== rules.brokerId) {
        fail('INVALID_REQUEST', `Unexpected broker id, expected ${rules.brokerId}, but received ${resourceName}`);
      }
      return;
    }
    case resourceTypes.brokerLogger:
    case resourceTypes.clientMetrics:
    case resourceTypes.group:
      return fail('INVALID_REQUEST', `Configs of resource type ${resourceType} are not supported by this broker.`);
    default:
      return fail('INVALID_REQUEST', `Unknown resource type ${resourceType}`);
  }
}

const MAX_VALUE_LENGTH = 32_767;

/** What the controller itself minds, which of a broker's settings it sees last. */
function checkValues(image: MetadataImage, { resourceType, resourceName }: ResourceChange, values: ReadonlyMap<string, string | null>): void {
  for (const [name, value] of values) {
    if (value !== null && value.length > MAX_VALUE_LENGTH) {
      fail('INVALID_CONFIG', `The configuration value cannot be added because it exceeds the maximum value size of ${MAX_VALUE_LENGTH} bytes.`);
    }
    if (name !== MIN_IN_SYNC_REPLICAS || resourceType !== resourceTypes.broker || !hasEligibleLeaders(image)) continue;
    if (resourceName !== '') fail('INVALID_CONFIG', 'Broker-level min.insync.replicas cannot be altered while ELR is enabled.');
    if (value === null) fail('INVALID_CONFIG', 'Cluster-level min.insync.replicas cannot be removed while ELR is enabled.');
  }
}

function planResource(image: MetadataImage, resource: ResourceChange, rules: ConfigRules): NewRecord[] {
  const { resourceType, resourceName } = resource;
  checkResource(resource, rules);
  const current = overridesOf(image, resourceType, resourceName);
  const next = new Map(resource.replacesAll === true ? [] : current);
  const values = new Map<string, string | null>();
  // Of several wrong changes Kafka tells the first that its map has: of a topic's, which the controller looks at.
  const changes = resourceType === resourceTypes.topic ? inHashMapOrder(resource.changes, ({ name }) => name) : resource.changes;
  for (const change of changes) {
    const value = newValue(change, current.get(change.name), resourceType, rules);
    values.set(change.name, value);
    if (value === null) next.delete(change.name);
    else next.set(change.name, value);
  }
  if (resource.replacesAll === true) {
    for (const name of current.keys()) if (!next.has(name)) values.set(name, null);
  }
  const isTopic = resourceType === resourceTypes.topic;
  if (isTopic) {
    checkValues(image, resource, values);
    checkTopicName(resourceName);
  }
  const problem = rules.problem(resourceType, resourceName, next);
  // Kafka calls a topic's invalid value a wrong configuration, but a broker's a wrong request.
  if (problem !== null) fail(isTopic ? 'INVALID_CONFIG' : 'INVALID_REQUEST', problem);
  if (!isTopic) checkValues(image, resource, values);
  // Kafka looks for the topic last, so a wrong value counts more than a topic that is not there.
  if (isTopic && !image.topics.has(resourceName)) fail('UNKNOWN_TOPIC_OR_PARTITION', `The topic '${resourceName}' does not exist.`);
  const records: NewRecord[] = [];
  for (const [name, value] of values) {
    if ((current.get(name) ?? null) === value && resourceType !== resourceTypes.broker) continue;
    records.push(makeRecord(configRecord, 0, { resourceType, resourceName, name, value }));
  }
  return records;
}

/** One outcome per resource, in their order. A resource that is named twice fails in both places. */
export function planConfigChanges(
  image: MetadataImage, resources: readonly ResourceChange[], rules: ConfigRules,
): Plan<Outcome<void>[]> {
  const counts = new Map<string, number>();
  const keyOf = (resource: ResourceChange): string => `${resource.resourceType}:${resource.resourceName}`;
  for (const resource of resources) counts.set(keyOf(resource), (counts.get(keyOf(resource)) ?? 0) + 1);
  const list = new RecordList();
  const result = resources.map((resource): Outcome<void> => {
    let records: NewRecord[];
    try {
      if (counts.get(keyOf(resource))! > 1) fail('INVALID_REQUEST', 'Each resource must appear at most once.');
      records = planResource(image, resource, rules);
    } catch (error) {
      if (error instanceof KafkaError) return { error };
      throw error;
    }
    list.add(records);
    return { ok: undefined };
  });
  return { records: list.records, result };
}
