// What the controller decides about configurations: overrides of topics and of brokers. Pure.
import { type KafkaErrorName } from '../protocol/errors.js';
import { configRecord } from '../protocol/records/metadata/index.js';
import { type ConfigOverrides, type MetadataImage, overridesOf, resourceTypes } from './image.js';
import { KafkaError } from './kafka-error.js';
import { type NewRecord, makeRecord } from './records.js';
import { type Plan } from './store.js';
import { type Outcome } from './topics.js';
import { topicNameProblem } from './topic-names.js';

export const configOperations = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

export interface ConfigRules {
  readonly brokerId: number;
  /** Whether the setting is a list, to which APPEND and SUBTRACT apply; undefined: there is no such setting. */
  isList(resourceType: number, name: string): boolean | undefined;
  /** The value without an override of this resource. */
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

/** Splits as Java does: without the empty strings at the end. */
function split(list: string): string[] {
  const parts = list.split(',');
  while (parts.length > 1 && parts[parts.length - 1] === '') parts.pop();
  return parts;
}

function operationName(operation: number): string {
  return operation === configOperations.append ? 'APPEND' : 'SUBTRACT';
}

function newValue(change: ConfigChange, current: string | undefined, resourceType: number, rules: ConfigRules): string | null {
  const { name, operation } = change;
  switch (operation) {
    case configOperations.set: return change.value;
    case configOperations.delete: return null;
    case configOperations.append:
    case configOperations.subtract: {
      if (rules.isList(resourceType, name) !== true) {
        fail('INVALID_CONFIG', `Can't ${operationName(operation)} to key ${name} because its type is not LIST.`);
      }
      const parts = split(current ?? rules.inherited(resourceType, name) ?? '').filter((part) => part !== '');
      for (const part of split(change.value ?? '')) {
        const at = parts.indexOf(part);
        if (operation === configOperations.append && at === -1) parts.push(part);
        if (operation === configOperations.subtract && at !== -1) parts.splice(at, 1);
      }
      return parts.join(',');
    }
    default: return fail('INVALID_REQUEST', `Unknown operations type ${operation}`);
  }
}

function checkResource(image: MetadataImage, { resourceType, resourceName, changes }: ResourceChange, rules: ConfigRules): void {
  const names = new Set(changes.map(({ name }) => name));
  if (names.size !== changes.length) fail('INVALID_REQUEST', 'Error due to duplicate config keys');
  const nulls = changes.filter(({ value, operation }) => value === null && operation !== configOperations.delete);
  if (nulls.length > 0) {
    fail('INVALID_REQUEST', `Null value not supported for : ${nulls.map(({ name }) => name).join(', ')}`);
  }
  switch (resourceType) {
    case resourceTypes.topic: {
      if (resourceName === '') fail('INVALID_REQUEST', 'Default topic resources are not allowed.');
      const problem = topicNameProblem(resourceName);
      if (problem !== null) fail('INVALID_TOPIC_EXCEPTION', `Topic name is invalid: ${problem}`);
      if (!image.topics.has(resourceName)) fail('UNKNOWN_TOPIC_OR_PARTITION', `The topic '${resourceName}' does not exist.`);
      return;
    }
    case resourceTypes.broker: {
      if (resourceName === '') return;
      if (!/^[+-]?\d+$/.test(resourceName)) {
        fail('INVALID_REQUEST', `Node id must be an integer, but it is: ${resourceName}`);
      }
      if (Number(resourceName) !== rules.brokerId) {
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

function planResource(image: MetadataImage, resource: ResourceChange, rules: ConfigRules): NewRecord[] {
  const { resourceType, resourceName } = resource;
  checkResource(image, resource, rules);
  const current = overridesOf(image, resourceType, resourceName);
  const next = new Map(resource.replacesAll === true ? [] : current);
  const values = new Map<string, string | null>();
  for (const change of resource.changes) {
    const value = newValue(change, current.get(change.name), resourceType, rules);
    values.set(change.name, value);
    if (value === null) next.delete(change.name);
    else next.set(change.name, value);
  }
  if (resource.replacesAll === true) {
    for (const name of current.keys()) if (!next.has(name)) values.set(name, null);
  }
  const problem = rules.problem(resourceType, resourceName, next);
  if (problem !== null) {
    // Kafka calls a topic's invalid value a wrong configuration, but a broker's a wrong request.
    fail(resourceType === resourceTypes.topic ? 'INVALID_CONFIG' : 'INVALID_REQUEST', problem);
  }
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
  const records: NewRecord[] = [];
  const result = resources.map((resource): Outcome<void> => {
    try {
      if (counts.get(keyOf(resource))! > 1) fail('INVALID_REQUEST', 'Each resource must appear at most once.');
      records.push(...planResource(image, resource, rules));
      return { ok: undefined };
    } catch (error) {
      if (error instanceof KafkaError) return { error };
      throw error;
    }
  });
  return { records, result };
}
