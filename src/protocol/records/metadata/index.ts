export { type MetadataRecord } from './define.js';
export {
  type AnyMetadataRecord, type MetadataRecordName, decodeMetadataRecord, encodeMetadataRecord,
} from './envelope.js';
export * from './registry.js';
