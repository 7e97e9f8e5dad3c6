// The group coordinator in this broker: its settings, its timers, and which partitions of the offsets topic it has loaded.
import { randomUUID } from 'node:crypto';
import { type BrokerSettings } from '../config/layered.js';
import { type CoordinatorConfig, type DeletedTopic, GroupCoordinator, Ticker } from '../coordinator/index.js';
import { type MetadataImage, emptyImage } from '../metadata/image.js';
import { internalTopics } from '../metadata/topic-names.js';
import { type Logger } from '../kafka/services.js';
import { type EnginePort } from './engine-port.js';
import { messageOf } from './errors.js';
import { EngineOffsetsLog, type ImageSource, ImageTopicCatalog } from './group-ports.js';

const MINUTE_MS = 60_000;
/** As in Kafka, where it is no setting either. */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * MINUTE_MS;
/** What Kafka leaves to its heap. */
const MAX_GROUPS = 100_000;
const MAX_PENDING_MEMBERS_PER_GROUP = 10_000;
const MAX_MEMBER_BYTES = 64 << 20;

const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };

function coordinatorConfig(settings: () => BrokerSettings): CoordinatorConfig {
  return {
    get minSessionTimeoutMs() {
      return settings().get('group.min.session.timeout.ms');
    },
    get maxSessionTimeoutMs() {
      return settings().get('group.max.session.timeout.ms');
    },
    get initialRebalanceDelayMs() {
      return settings().get('group.initial.rebalance.delay.ms');
    },
    get maxGroupSize() {
      return settings().get('group.max.size');
    },
    get offsetMetadataMaxBytes() {
      return settings().get('offset.metadata.max.bytes');
    },
    get writeTimeoutMs() {
      return settings().get('offsets.commit.timeout.ms');
    },
    get offsetsRetentionMs() {
      return settings().get('offsets.retention.minutes') * MINUTE_MS;
    },
    get offsetsRetentionCheckIntervalMs() {
      return settings().get('offsets.retention.check.interval.ms');
    },
    newMemberJoinTimeoutMs: NEW_MEMBER_JOIN_TIMEOUT_MS,
    maxGroups: MAX_GROUPS,
    maxPendingMembersPerGroup: MAX_PENDING_MEMBERS_PER_GROUP,
    maxMemberBytes: MAX_MEMBER_BYTES,
  };
}

export interface GroupsOptions {
  readonly engine: EnginePort;
  readonly settings: () => BrokerSettings;
  readonly log: Logger;
  /** When the oldest request came that the coordinator has not seen yet. */
  readonly oldestWaitingMs: () => number | null;
}

export class Groups {
  readonly coordinator: GroupCoordinator;
  readonly #ticker: Ticker;
  readonly #log: Logger;
  /** What the data plane serves: ahead of what clients are shown while a change is being carried out. */
  readonly #metadata: { image: MetadataImage } = { image: emptyImage };
  readonly #offsetsLog: EngineOffsetsLog;
  #loading: Promise<void> = Promise.resolve();

  constructor({ engine, settings, log, oldestWaitingMs }: GroupsOptions) {
    const metadata: ImageSource = this.#metadata;
    const config = coordinatorConfig(settings);
    this.#log = log;
    this.#offsetsLog = new EngineOffsetsLog(engine, metadata);
    this.coordinator = new GroupCoordinator({
      config,
      log,
      clock,
      uuid: randomUUID,
      offsetsLog: this.#offsetsLog,
      topics: new ImageTopicCatalog(metadata),
      onDeadline: (deadlineMs) => this.#ticker.wakeAt(deadlineMs),
    });
    this.#ticker = new Ticker({ coordinator: this.coordinator, clock, config, caughtUp: () => engine.caughtUp(), oldestWaitingMs });
  }

  /** Begins to load what the offsets topic holds. Groups whose partition is not loaded yet are told to wait. */
  start(image: MetadataImage): void {
    this.#adopt(image);
    this.#load(0, image);
  }

  /** Resolves when everything that was begun to be loaded is. */
  loaded(): Promise<void> {
    return this.#loading;
  }

  /** The metadata has changed, and the data plane follows it already. */
  async follow(before: MetadataImage, after: MetadataImage): Promise<void> {
    this.#adopt(after);
    const deleted: DeletedTopic[] = [];
    for (const { before: old, after: next } of before.topics.changesTo(after.topics)) {
      if (old === undefined || old.id === next?.id) continue;
      if (old.name === internalTopics.offsets) this.#unload(old.partitions.length);
      else deleted.push({ id: old.id, name: old.name });
    }
    if (deleted.length > 0) this.coordinator.topicsDeleted(deleted);
    const known = before.topics.get(internalTopics.offsets);
    const now = after.topics.get(internalTopics.offsets);
    if (now === undefined || now === known) return;
    this.#load(known?.id === now.id ? known.partitions.length : 0, after);
    // What is new is empty: a client that had it made should find its coordinator at once.
    await this.#loading;
  }

  /** Loads what could not be loaded before. */
  loadAgain(image: MetadataImage): void {
    this.#load(0, image);
  }

  close(): void {
    this.#ticker.stop();
    this.coordinator.close();
  }

  #adopt(image: MetadataImage): void {
    this.#metadata.image = image;
    this.#offsetsLog.imageChanged();
  }

  #load(from: number, image: MetadataImage): void {
    const topic = image.topics.get(internalTopics.offsets);
    if (topic === undefined) return;
    const partitions = topic.partitions.map(({ index }) => index).slice(from);
    const load = this.coordinator.loadAll(partitions).catch((error: unknown) => {
      this.#log.error(`not all groups of ${internalTopics.offsets} could be loaded: ${messageOf(error)}`);
    });
    this.#loading = Promise.all([this.#loading, load]).then(() => {});
  }

  #unload(count: number): void {
    for (let index = 0; index < count; index += 1) this.coordinator.unload(index);
  }
}
