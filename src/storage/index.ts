export { LOG_ERRORS, LogError, type LogErrorCode } from './errors.js';
export { type OpenLogOptions } from './options.js';
export { type ReadOptions } from './reader.js';
export { type Append, type AppendTarget, type LogRecord, openLog, SluiceLog } from './log.js';
export { type AppendOutcome, type Compression, type Durability, type EngineStats, type IoDriver, type LogEnds, type RecordInput } from '../native/binding.js';
