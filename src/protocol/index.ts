// Kafka's wire protocol: tables, the codecs compiled from them, and the primitives below.
export { type Api, type RequestInput, type RequestOf, type ResponseInput, type ResponseOf, defineApi } from './api.js';
export { type KnownApi, apiName, apiOfKey, apiOfName, apis } from './api-keys.js';
export { ProtocolError, type ProtocolErrorKind } from './error.js';
export * from './consumer/index.js';
export { type KafkaErrorEntry, type KafkaErrorName, errorCode, errorName, errorOfCode, kafkaErrors } from './errors.js';
export {
  type RequestFrame, type RequestHeader, decodeResponse, encodeRequest, encodeResponse, readRequestHeader,
  requestHeader, requestHeaderVersion, responseHeader, responseHeaderVersion,
} from './headers.js';
export { type DecodedOf, type InputOf, Message, defineMessage } from './message.js';
export * from './messages/index.js';
export * from './records/batch.js';
export * from './records/control/index.js';
export * from './records/group/index.js';
export * from './records/metadata/index.js';
export { Reader, type ReaderOptions } from './reader.js';
export { type Decoded, type Field, type FieldTable, type FieldType, type Input, type UnknownTag } from './schema.js';
export { ZERO_UUID, isUuid, uuidFromBytes, uuidToBytes } from './uuid.js';
export { type VersionRange, hasVersion, parseVersions } from './versions.js';
export { Writer } from './writer.js';
