// From a log directory, new, clean or after a crash, to a metadata store that is ready for changes and logs that are open.
//
//   engine opens -> metadata log opens under the next epoch -> image -> all other logs open -> recovery ends
//   -> leader change, first records of a new log, elections
import { mkdir } from 'node:fs/promises';
import { type OpenInfo } from '../native/binding.js';
import { applyRecords } from '../metadata/apply.js';
import { type ConfigOverrides, type MetadataImage, overridesOf, resourceTypes } from '../metadata/image.js';
import { METADATA_TOPIC, METADATA_TOPIC_ID } from '../metadata/ids.js';
import { type NewRecord } from '../metadata/records.js';
import { MetadataStore } from '../metadata/store.js';
import { NativeError } from '../native/errors.js';
import { type BrokerSettings } from '../config/layered.js';
import { type Logger } from '../kafka/services.js';
import { type EffectiveSettings } from './config-service.js';
import { type EnginePort } from './engine-port.js';
import {
  METADATA_PARTITION, appendLeaderChange, engineMetadataLog, loadMetadata, metadataDirectory, metadataLogSettings,
} from './metadata-log.js';
import { MetadataSnapshots } from './metadata-snapshots.js';
import { Publisher } from './publisher.js';
import { Reopening } from './reopening.js';
import { readQuorumState, writeQuorumState } from './quorum-state.js';
import { abortRecords, bootstrapRecords, checkMetadataVersion, clusterDefaultRecords, electionRecords } from './registration.js';

/** Elections of many partitions are written in pieces of this size. */
const ELECTIONS_AT_ONCE = 10_000;

export interface OpenedDirectory {
  readonly info: OpenInfo;
  readonly store: MetadataStore;
  readonly publisher: Publisher;
  /** Ends what goes on beside changes: snapshots, and tries to open what is offline. */
  close(): Promise<void>;
  /** Shows all topics to the data plane, and every change from now on. */
  startServing(): Promise<void>;
}

export interface OpenDirectoryOptions {
  readonly engine: EnginePort;
  readonly logDir: string;
  readonly nodeId: number;
  /** Those of the file: what has to be known before there is metadata. */
  readonly settings: BrokerSettings;
  readonly effective: EffectiveSettings;
  readonly log: Logger;
  /** Called when the data plane has followed a change; the change counts as made when this resolves. */
  onChange(before: MetadataImage, after: MetadataImage): Promise<void>;
  /** Called when partitions are served that were offline. */
  onReopened(image: MetadataImage): void;
}

export async function openDirectory(options: OpenDirectoryOptions): Promise<OpenedDirectory> {
  const { engine, logDir, nodeId, settings, effective, log } = options;
  const info = await engine.open();
  const directory = metadataDirectory(logDir);
  const quorum = await readQuorumState(directory, nodeId);
  const state = { ...quorum, leaderEpoch: quorum.leaderEpoch + 1 };
  const [outcome] = await engine.openPartitions([{
    topic: METADATA_TOPIC, topicId: METADATA_TOPIC_ID, partition: 0, leaderEpoch: state.leaderEpoch, settings: metadataLogSettings(settings),
  }]);
  if (outcome != null) throw new NativeError(outcome);
  await mkdir(directory, { recursive: true });
  await writeQuorumState(directory, nodeId, state);

  const loaded = await loadMetadata(engine, logDir, nodeId);
  if (!loaded.isEmpty) checkMetadataVersion(loaded.image);
  // After a crash a log in mode os may have lost records that consumers have seen. In mode fsync nothing shown is lost.
  const mayHaveLost = (name: string): boolean =>
    !info.clean && effective.logSettings(name, overrides(loaded.image, name), loaded.image).durability === 'os';
  const elections = electionRecords(loaded.image, nodeId, mayHaveLost);
  const elected = applyRecords(loaded.image, elections.map(({ record }) => record));

  const publisher = new Publisher({
    engine, log, nodeId, logSettings: (topic, own, image) => effective.logSettings(topic, own, image),
  });
  await publisher.openAll(elected);
  const report = await engine.finishRecovery({ keepUnknown: false });
  for (const stray of report.strays) log.warn(`${stray} belongs to no topic of the metadata and is set aside`);

  const offset = await appendLeaderChange(engine, nodeId);
  let isServing = false;
  const snapshots = new MetadataSnapshots({
    directory,
    log,
    limits: {
      bytesBetween: settings.get('metadata.log.max.record.bytes.between.snapshots'),
      intervalMs: settings.get('metadata.log.max.snapshot.interval.ms'),
      retentionBytes: settings.get('metadata.max.retention.bytes'),
      retentionMs: settings.get('metadata.max.retention.ms'),
    },
    controls: loaded.controls,
    now: () => Date.now(),
    bytesSince: loaded.bytesBehindSnapshot,
    logStart: async () => (await engine.ends(METADATA_PARTITION)).logStart,
    trim: async (before) => void (await engine.deleteRecords(METADATA_PARTITION, before)),
  });
  const store = new MetadataStore({
    image: Object.freeze({ ...loaded.image, offset, epoch: state.leaderEpoch }),
    log: engineMetadataLog(engine, (bytes) => snapshots.appended(bytes)),
    publish: async (before, after) => {
      if (!isServing) return;
      await publisher.publish(before, after);
      reopening.offer();
      await options.onChange(before, after);
      snapshots.offer(after);
    },
  });
  const reopening = new Reopening({ store, publisher, log, onReopened: (image) => options.onReopened(image) });
  await write(store, loaded.isInTransaction ? abortRecords() : []);
  if (loaded.isEmpty) await write(store, bootstrapRecords(loaded.image));
  await write(store, clusterDefaultRecords(store.image, effective.of(loaded.image).get('min.insync.replicas')));
  for (let at = 0; at < elections.length; at += ELECTIONS_AT_ONCE) {
    await write(store, elections.slice(at, at + ELECTIONS_AT_ONCE));
  }
  return {
    info,
    store,
    publisher,
    async close() {
      reopening.close();
      await store.settled();
      await snapshots.close();
    },
    async startServing() {
      await publisher.publishAll(store.image);
      isServing = true;
      snapshots.offer(store.image);
    },
  };
}

function overrides(image: MetadataImage, topic: string): ConfigOverrides {
  return overridesOf(image, resourceTypes.topic, topic);
}

async function write(store: MetadataStore, records: readonly NewRecord[]): Promise<void> {
  if (records.length > 0) await store.change(() => ({ records, result: undefined }));
}
