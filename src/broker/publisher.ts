// Tells the data plane what differs between two images: logs to open and to delete, topics to serve or no longer, settings.
import { type LogSettings, type PartitionSpec, type TopicPublication } from '../native/binding.js';
import { type ConfigOverrides, type MetadataImage, type TopicImage, overridesOf, parseConfigKey, resourceTypes } from '../metadata/image.js';
import { isInternalTopic } from '../metadata/topic-names.js';
import { type Logger, type TopicIdPartition } from '../kafka/services.js';
import { type EnginePort } from './engine-port.js';

/** Partitions that one call opens: each makes a directory and files, and the calls between keep others from waiting. */
const OPEN_AT_ONCE = 512;
/** Failures that may pass: a log that was never there can be made later. */
const LACKS: ReadonlySet<string> = new Set(['no_space', 'no_files']);

export interface PublisherOptions {
  readonly engine: EnginePort;
  readonly log: Logger;
  readonly nodeId: number;
  /** The settings of a log whose topic has these overrides, with the broker's as of `image`. */
  logSettings(topic: string, overrides: ConfigOverrides, image: MetadataImage): LogSettings;
}

function keyOf({ topicId, partition }: TopicIdPartition): string {
  return `${topicId}:${partition}`;
}

export class Publisher {
  readonly #options: PublisherOptions;
  /** With the code of what keeps each from being opened. */
  readonly #offline = new Map<string, string>();
  /** Those of them whose files could not be made when they were created, with the names of their topics. */
  readonly #unmade = new Map<string, string>();

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  isOffline(partition: TopicIdPartition): boolean {
    return this.#offline.size > 0 && this.#offline.has(keyOf(partition));
  }

  get offlineCount(): number {
    return this.#offline.size;
  }

  /** Opens the logs of every topic. What cannot be opened stays offline, with one line that says why. */
  async openAll(image: MetadataImage): Promise<void> {
    const specs: PartitionSpec[] = [];
    for (const topic of image.topics.values()) {
      specs.push(...this.#specs(topic, 0, image));
    }
    // Nobody else waits while the broker starts: the engine loads one part while the next is handed over.
    const parts = Array.from({ length: Math.ceil(specs.length / OPEN_AT_ONCE) }, (_, index) => specs.slice(index * OPEN_AT_ONCE, (index + 1) * OPEN_AT_ONCE));
    await Promise.all(parts.map((part) => this.#open(part)));
  }

  async publishAll(image: MetadataImage): Promise<void> {
    await this.#options.engine.publishTopics([...image.topics.values()].map((topic) => this.#publication(topic)));
  }

  async publish(before: MetadataImage, after: MetadataImage): Promise<void> {
    const { engine } = this.#options;
    const opened: PartitionSpec[] = [];
    const changed: TopicImage[] = [];
    const removed: TopicImage[] = [];
    for (const { before: old, after: next } of before.topics.changesTo(after.topics)) {
      // A name may have been taken away and given to a new topic within one change.
      if (old !== undefined && old.id !== next?.id) removed.push(old);
      if (next === undefined) continue;
      const known = old?.id === next.id ? old.partitions.length : 0;
      opened.push(...this.#specs(next, known, after));
      changed.push(next);
    }
    await Promise.all(removed.map((topic) => this.#remove(topic)));
    await this.#applySettings(before, after);
    await this.#open(opened);
    for (const spec of opened) if (this.#lacks(spec)) this.#unmade.set(keyOf(spec), spec.topic);
    if (changed.length > 0) await engine.publishTopics(changed.map((topic) => this.#publication(topic)));
  }

  /** Some partitions are offline only for want of space or descriptors: `reopen` may help them. */
  get lacksSome(): boolean {
    return this.#unmade.size > 0;
  }

  /** Makes the logs that could not be made before, as far as there is room now. True: some are served that were not. */
  async reopen(image: MetadataImage): Promise<boolean> {
    const specs = [...new Set(this.#unmade.values())].flatMap((name) => {
      const topic = image.topics.get(name);
      return topic === undefined ? [] : this.#specs(topic, 0, image).filter((spec) => this.#unmade.has(keyOf(spec)));
    });
    // While there is no room for one, the others are not tried.
    const first = specs.slice(0, 1);
    await this.#open(first);
    if (first.some((spec) => this.#lacks(spec))) return false;
    await this.#open(specs.slice(1));
    for (const spec of specs) if (!this.#lacks(spec)) this.#unmade.delete(keyOf(spec));
    const made = specs.filter((spec) => !this.isOffline(spec));
    if (made.length === 0) return false;
    const names = new Set(made.map(({ topic }) => topic));
    await this.#options.engine.publishTopics([...names].map((name) => this.#publication(image.topics.get(name)!)));
    this.#options.log.info(`${made.length} partitions that were offline are served now, ${this.#unmade.size} still lack room`);
    return true;
  }

  #lacks(partition: TopicIdPartition): boolean {
    return this.isOffline(partition) && LACKS.has(this.#offline.get(keyOf(partition))!);
  }

  async #remove(topic: TopicImage): Promise<void> {
    const { engine, log } = this.#options;
    await engine.withdrawTopic(topic.id);
    const partitions = topic.partitions.map(({ index }) => ({ topicId: topic.id, partition: index }));
    const outcomes = await engine.deletePartitions(partitions);
    for (const [index, outcome] of outcomes.entries()) {
      const key = keyOf(partitions[index]!);
      this.#offline.delete(key);
      this.#unmade.delete(key);
      if (outcome !== null) log.error(`${topic.name}-${partitions[index]!.partition} is deleted, but its files are not: ${outcome.message}`);
    }
  }

  /** What cannot be opened is told of once, and again when it is something else that keeps it. */
  async #open(specs: readonly PartitionSpec[]): Promise<void> {
    const { engine, log } = this.#options;
    for (let at = 0; at < specs.length; at += OPEN_AT_ONCE) {
      const part = specs.slice(at, at + OPEN_AT_ONCE);
      const outcomes = await engine.openPartitions(part);
      for (const [index, outcome] of outcomes.entries()) {
        const spec = part[index]!;
        if (outcome === null) {
          this.#offline.delete(keyOf(spec));
          continue;
        }
        if (this.#offline.get(keyOf(spec)) === outcome.code) continue;
        this.#offline.set(keyOf(spec), outcome.code);
        log.error(`${spec.topic}-${spec.partition} is offline: ${outcome.message}`);
      }
    }
  }

  async #applySettings(before: MetadataImage, after: MetadataImage): Promise<void> {
    if (before.configs === after.configs) return;
    let isForAll = false;
    const names = new Set<string>();
    for (const { key } of before.configs.changesTo(after.configs)) {
      const { resourceType, resourceName } = parseConfigKey(key);
      if (resourceType === resourceTypes.broker) isForAll = true;
      if (resourceType === resourceTypes.topic) names.add(resourceName);
    }
    const topics = isForAll ? [...after.topics.values()] : [...names].flatMap((name) => after.topics.get(name) ?? []);
    // New topics are opened with the right settings anyway.
    const existing = topics.filter((topic) => before.topics.get(topic.name)?.id === topic.id);
    const changes = existing.flatMap((topic) => {
      const settings = this.#settings(topic, after);
      const known = before.topics.get(topic.name)!.partitions.length;
      return topic.partitions.slice(0, known).flatMap(({ index }) => {
        const partition = { topicId: topic.id, partition: index };
        return this.isOffline(partition) ? [] : [{ ...partition, settings }];
      });
    });
    if (changes.length === 0) return;
    const outcomes = await this.#options.engine.setPartitionSettings(changes);
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome === null) continue;
      const { topicId, partition } = changes[index]!;
      this.#options.log.error(`the settings of ${after.topicNames.get(topicId)}-${partition} are not in effect: ${outcome.message}`);
    }
  }

  #settings(topic: TopicImage, image: MetadataImage): LogSettings {
    return this.#options.logSettings(topic.name, overridesOf(image, resourceTypes.topic, topic.name), image);
  }

  #specs(topic: TopicImage, from: number, image: MetadataImage): PartitionSpec[] {
    if (from >= topic.partitions.length) return [];
    const settings = this.#settings(topic, image);
    const { nodeId } = this.#options;
    return topic.partitions.slice(from).filter(({ replicas }) => replicas.includes(nodeId)).map(({ index, leaderEpoch }) => ({
      topic: topic.name, topicId: topic.id, partition: index, leaderEpoch, settings,
    }));
  }

  #publication(topic: TopicImage): TopicPublication {
    const { nodeId } = this.#options;
    return {
      name: topic.name,
      topicId: topic.id,
      internal: isInternalTopic(topic.name),
      partitions: topic.partitions
        .filter(({ index, leader }) => leader === nodeId && !this.isOffline({ topicId: topic.id, partition: index }))
        .map(({ index, leaderEpoch }) => ({ index, leaderEpoch })),
    };
  }
}
