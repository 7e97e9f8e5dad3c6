// What the rest of the broker uses of the group coordinator.
export { GroupCoordinator, type Caller, type GroupCoordinatorOptions } from './coordinator.js';
export { partitionOf } from './partition-of.js';
export {
  type Clock, type CoordinatorConfig, type EndedTransaction, type Logger, type OffsetsLog, type RecordBytes, type StoredRecord, type TopicCatalog,
} from './ports.js';
export { type DeletedTopic } from './shard.js';
export { Ticker } from './ticker.js';
