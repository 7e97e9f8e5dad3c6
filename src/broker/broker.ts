// A whole broker: the engine, the metadata, the coordinators and the handlers, put together, started and stopped.
import { type MetadataImage } from '../metadata/image.js';
import { randomId } from '../metadata/ids.js';
import { type BrokerConfig } from '../config/broker-config.js';
import { type Listener, listenerText } from '../config/listeners.js';
import { type EngineEvents, type IoDriver } from '../native/binding.js';
import { advertisedVersions, servedVersions } from '../kafka/api-versions.js';
import { dispatch } from '../kafka/dispatch.js';
import { handlers } from '../kafka/handlers/index.js';
import { Registry } from '../kafka/registry.js';
import { type BrokerServices, type ListenerAddress, type Logger } from '../kafka/services.js';
import { Configs, EffectiveSettings } from './config-service.js';
import { ControlLoop } from './control-loop.js';
import { EngineLogs, type EnginePort, type MakeEngine } from './engine-port.js';
import { makeEngine as makeAddonEngine } from './make-engine.js';
import { directoryError, listenerError, messageOf } from './errors.js';
import { Groups } from './groups.js';
import { cleanerSettings, planeSettings } from './log-settings.js';
import { type OpenedDirectory, openDirectory } from './open-directory.js';
import { ProducerIds } from './producer-ids.js';
import { farewellRecords, registerRecord, supportedFeatures, unfenceRecord } from './registration.js';
import { TopicAdmin } from './topic-admin.js';
import { internalTopic } from './internal-topics.js';
import { packageVersion } from './version.js';

export interface BrokerOptions {
  readonly config: BrokerConfig;
  readonly log: Logger;
  /** Another engine than the addon's, for tests. */
  readonly makeEngine?: MakeEngine;
}

/** What a user wants to see when the broker is ready. */
export interface ReadyReport {
  readonly version: string;
  /** Where clients find it, ports as they were bound. */
  readonly listeners: readonly ListenerAddress[];
  readonly dataDir: string;
  readonly clusterId: string;
  readonly durability: 'fsync' | 'os';
  readonly ioDriver: IoDriver;
  /** The journal goes around the page cache; else the file system refused that. */
  readonly directIo: boolean;
  readonly reactors: number;
  readonly topics: number;
  readonly partitions: number;
  /** Partitions whose logs could not be opened. */
  readonly offlinePartitions: number;
  readonly startupMs: number;
}

export interface RunningBroker {
  readonly ready: ReadyReport;
  /** Stops cleanly; a second call waits for the first. */
  close(): Promise<void>;
}

/** How long a clean stop waits for answers that are being worked on. */
const CLOSE_GRACE_MS = 5_000;

/** Starts a broker; resolves when clients can be served. Rejects with a BrokerStartError, everything undone. */
export async function startBroker(options: BrokerOptions): Promise<RunningBroker> {
  const startedAt = performance.now();
  const { config, log } = options;
  const { settings, logDir, nodeId } = config;
  const makeEngine = options.makeEngine ?? makeAddonEngine;
  const starting = new Starting(config, log);
  const engine = makeEngine({
    dir: logDir,
    nodeId,
    journalBytes: settings.get('sluice.journal.bytes'),
    ioDriver: settings.get('sluice.io.driver') as 'auto' | IoDriver,
    poolThreads: settings.get('sluice.pool.threads'),
    retentionCheckMs: Number(settings.get('log.retention.check.interval.ms')),
    retentionDelayMs: Number(settings.get('log.initial.task.delay.ms')),
    cleaner: cleanerSettings(settings),
    scrubBytesPerSecond: settings.get('sluice.scrub.bytes.per.second'),
    scrubIntervalMs: settings.get('sluice.scrub.interval.ms'),
  }, starting.events);
  try {
    return await starting.run(engine, startedAt);
  } catch (error) {
    await starting.abandon();
    await engine.close({ clean: starting.isOpen }).catch((second: unknown) => log.error(`the engine does not close: ${String(second)}`));
    throw error;
  }
}

class Starting {
  readonly #config: BrokerConfig;
  readonly #log: Logger;
  readonly events: EngineEvents;
  #loop: ControlLoop | undefined;
  #groups: Groups | undefined;
  #opened: OpenedDirectory | undefined;
  isOpen = false;

  constructor(config: BrokerConfig, log: Logger) {
    this.#config = config;
    this.#log = log;
    this.events = {
      onRequests: (requests) => this.#loop?.take(requests),
      onDisconnect: () => {},
      onLog: (severity, line) => log[severity](line),
    };
  }

  async abandon(): Promise<void> {
    this.#groups?.close();
    await this.#opened?.close();
  }

  async run(engine: EnginePort, startedAt: number): Promise<RunningBroker> {
    const { nodeId, logDir, settings } = this.#config;
    const effective = new EffectiveSettings(this.#config, this.#log);
    const registry = new Registry(handlers);
    const served = servedVersions(registry).map(({ apiKey, minVersion, maxVersion }) => ({ key: apiKey, min: minVersion, max: maxVersion }));
    const plane = (image: MetadataImage) => planeSettings(effective.of(image), nodeId, served);
    let groups: Groups | undefined;
    const opened = await openDirectory({
      engine, logDir, nodeId, settings, effective, log: this.#log,
      onChange: async (before, after) => {
        if (before.configs !== after.configs) {
          await Promise.all([engine.setPlaneSettings(plane(after)), engine.setCleanerSettings(cleanerSettings(effective.of(after)))]);
        }
        await groups?.follow(before, after);
      },
      onReopened: (image) => groups?.loadAgain(image),
    }).catch((error: unknown) => {
      throw directoryError(error, logDir);
    });
    this.isOpen = true;
    this.#opened = opened;
    const { store, publisher, info } = opened;
    // Without listeners this only makes the data plane: topics must be there before the first client is.
    await engine.listen([], plane(store.image));
    await engine.setCleanerSettings(cleanerSettings(effective.of(store.image)));
    await opened.startServing();

    const configs = new Configs(store, effective, nodeId);
    groups = new Groups({
      engine,
      settings: () => configs.settings,
      log: this.#log,
      oldestWaitingMs: () => this.#loop?.oldestReceivedMs ?? null,
    });
    this.#groups = groups;
    groups.start(store.image);
    const services = this.#services(engine, opened, configs, registry, groups);
    const loop = new ControlLoop({
      dispatch: (request) => dispatch(registry, request, services),
      respond: (token, response) => engine.respond(token, response),
      close: (token, reason) => engine.closeConnection(token, reason),
      parked: (token) => engine.parked(token),
      log: this.#log,
      isPaused: true,
    });
    this.#loop = loop;
    const advertised = await this.#listen(engine, plane(store.image));
    services.advertised.push(...advertised);
    await store.change((image) => ({
      records: [registerRecord(image, {
        nodeId, incarnationId: randomId(), endpoints: advertised, rack: settings.get('broker.rack'), directoryId: info.directoryId,
      })],
      result: undefined,
    }));
    await store.change((image) => ({ records: [unfenceRecord(image, nodeId)], result: undefined }));
    loop.resume();
    const { image } = store;
    return new Running(engine, opened, loop, groups, nodeId, this.#log, {
      version: packageVersion(),
      listeners: advertised,
      dataDir: logDir,
      clusterId: info.clusterId,
      durability: configs.settings.get('sluice.durability') as 'fsync' | 'os',
      ioDriver: info.driver,
      directIo: info.directIo,
      reactors: settings.get('sluice.reactors'),
      topics: image.topics.size,
      partitions: image.partitionCount,
      offlinePartitions: publisher.offlineCount,
      startupMs: Math.round(performance.now() - startedAt),
    });
  }

  #services(engine: EnginePort, opened: OpenedDirectory, configs: Configs, registry: Registry, groups: Groups) {
    const { nodeId, logDir } = this.#config;
    const { store, publisher, info } = opened;
    const settings = () => configs.settings;
    return {
      clusterId: info.clusterId,
      config: {
        nodeId,
        logDir,
        rack: this.#config.settings.get('broker.rack'),
        get autoCreateTopics() {
          return settings().get('auto.create.topics.enable');
        },
        get deleteTopics() {
          return settings().get('delete.topic.enable');
        },
        get maxPartitionsPerDescribe() {
          return settings().get('max.request.partition.size.limit');
        },
        get maxTransactionTimeoutMs() {
          return settings().get('transaction.max.timeout.ms');
        },
      },
      metadata: store,
      topics: new TopicAdmin({
        store,
        publisher,
        brokerId: nodeId,
        directoryId: info.directoryId,
        defaults: () => ({
          partitions: settings().get('num.partitions'),
          replicationFactor: settings().get('default.replication.factor'),
        }),
        internalTopic: (name) => internalTopic(name, settings()),
        topicConfigProblem: (overrides) => configs.topicProblem(overrides),
      }),
      configs,
      engine: new EngineLogs(engine),
      producerIds: new ProducerIds(store, nodeId),
      advertised: [] as ListenerAddress[],
      apiVersions: advertisedVersions(registry),
      supportedFeatures,
      groups: groups.coordinator,
      log: this.#log,
      clock: { now: () => Date.now() },
    } satisfies BrokerServices;
  }

  /** Binds all listeners; the addresses for clients in the same order, with the ports that were chosen. */
  async #listen(engine: EnginePort, plane: Parameters<EnginePort['listen']>[1]): Promise<ListenerAddress[]> {
    const { bound, advertised } = this.#config.listeners;
    const ports = await engine.listen(bound, plane).catch((error: unknown) => {
      throw listenerError(error, bound.map(listenerText).join(', '));
    });
    return bound.map((listener, index) => {
      const told: Listener = advertised.find(({ name }) => name === listener.name) ?? listener;
      return { name: listener.name, host: told.host, port: told.port === 0 ? ports[index]! : told.port };
    });
  }
}

class Running implements RunningBroker {
  readonly ready: ReadyReport;
  readonly #engine: EnginePort;
  readonly #opened: OpenedDirectory;
  readonly #loop: ControlLoop;
  readonly #groups: Groups;
  readonly #nodeId: number;
  readonly #log: Logger;
  #closing: Promise<void> | undefined;

  constructor(
    engine: EnginePort, opened: OpenedDirectory, loop: ControlLoop, groups: Groups, nodeId: number, log: Logger, ready: ReadyReport,
  ) {
    this.#engine = engine;
    this.#opened = opened;
    this.#loop = loop;
    this.#groups = groups;
    this.#nodeId = nodeId;
    this.#log = log;
    this.ready = ready;
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#loop.stop();
    // Members that wait for others are sent away; what is being written is still answered.
    this.#groups.close();
    await Promise.race([this.#loop.idle(), new Promise((resolve) => setTimeout(resolve, CLOSE_GRACE_MS).unref())]);
    const { store } = this.#opened;
    try {
      await store.change((image) => ({ records: farewellRecords(image, this.#nodeId), result: undefined }));
    } catch (error) {
      // A full or failed disk must not keep the broker from going.
      this.#log.warn(`the metadata log does not take this node's farewell: ${messageOf(error)}`);
    }
    await this.#opened.close();
    await this.#engine.close({ clean: true });
  }
}

export { BrokerStartError } from './errors.js';
