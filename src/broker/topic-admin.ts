// Topics as handlers change them: the planners of metadata/ carried out through the store.
import { randomId } from '../metadata/ids.js';
import { type MetadataStore } from '../metadata/store.js';
import {
  type CreatedTopic, type Outcome, type PartitionsToAdd, type TopicEnvironment, type TopicToCreate, planCreatePartitions,
  planCreateTopics, planDeleteTopics,
} from '../metadata/topics.js';
import { type TopicIdPartition, type TopicService } from '../kafka/services.js';
import { type Publisher } from './publisher.js';

export interface InternalTopic {
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

export interface TopicAdminOptions {
  readonly store: MetadataStore;
  readonly publisher: Publisher;
  readonly brokerId: number;
  readonly directoryId: string;
  /** Asked each time, since both can be changed while running. */
  defaults(): { readonly partitions: number; readonly replicationFactor: number };
  /** How a topic of the broker itself is made; undefined: it is none. */
  internalTopic(name: string): InternalTopic | undefined;
  topicConfigProblem(overrides: ReadonlyMap<string, string>): string | null;
}

export class TopicAdmin implements TopicService {
  readonly #options: TopicAdminOptions;

  constructor(options: TopicAdminOptions) {
    this.#options = options;
  }

  create(topics: readonly TopicToCreate[], validateOnly: boolean): Promise<Outcome<CreatedTopic>[]> {
    const environment = this.#environment();
    return this.#options.store.change((image) => {
      const plan = planCreateTopics(image, topics, environment);
      return validateOnly ? { records: [], result: plan.result } : plan;
    });
  }

  createMissing(names: readonly string[]): Promise<Outcome<CreatedTopic>[]> {
    return this.create(names.map((name) => this.#wanted(name)), false);
  }

  delete(ids: readonly string[]): Promise<Outcome<void>[]> {
    return this.#options.store.change((image) => planDeleteTopics(image, ids));
  }

  addPartitions(wishes: readonly PartitionsToAdd[], validateOnly: boolean): Promise<Outcome<void>[]> {
    const environment = this.#environment();
    return this.#options.store.change((image) => {
      const plan = planCreatePartitions(image, wishes, environment);
      return validateOnly ? { records: [], result: plan.result } : plan;
    });
  }

  isOffline(partition: TopicIdPartition): boolean {
    return this.#options.publisher.isOffline(partition);
  }

  #wanted(name: string): TopicToCreate {
    const assignments: TopicToCreate['assignments'] = [];
    const internal = this.#options.internalTopic(name);
    if (internal === undefined) return { name, numPartitions: -1, replicationFactor: -1, assignments, configs: [] };
    const { partitions, replicationFactor, configs } = internal;
    return {
      name,
      numPartitions: partitions,
      replicationFactor,
      assignments,
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    };
  }

  #environment(): TopicEnvironment {
    const { brokerId, directoryId, topicConfigProblem } = this.#options;
    const { partitions, replicationFactor } = this.#options.defaults();
    return {
      brokerId,
      directoryId,
      defaultPartitions: partitions,
      defaultReplicationFactor: replicationFactor,
      newId: randomId,
      topicConfigProblem,
    };
  }
}
