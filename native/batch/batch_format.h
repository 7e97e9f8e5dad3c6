// Kafka's record batch, format ("magic") 2: where its fields lie. The grammar stands in docs/log-format.md.
//
//   batch   = baseOffset:i64 batchLength:i32 partitionLeaderEpoch:i32 magic:i8 crc:u32
//             attributes:i16 lastOffsetDelta:i32 baseTimestamp:i64 maxTimestamp:i64
//             producerId:i64 producerEpoch:i16 baseSequence:i32 recordCount:i32 record*        (big-endian)
//   record  = length:varint attributes:i8 timestampDelta:varlong offsetDelta:varint
//             keyLength:varint key valueLength:varint value headerCount:varint header*         (length -1: null)
//   header  = keyLength:varint key valueLength:varint value
// batchLength counts what follows it; crc is CRC-32C from attributes to the end. Compressed, the records are one compressed stream.
//
// Thread: any. Owns: nothing. After error: only constants.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::batch {

inline constexpr size_t kBaseOffsetAt = 0;
inline constexpr size_t kBatchLengthAt = 8;
inline constexpr size_t kLeaderEpochAt = 12;
inline constexpr size_t kMagicAt = 16;
inline constexpr size_t kCrcAt = 17;
inline constexpr size_t kAttributesAt = 21;
inline constexpr size_t kLastOffsetDeltaAt = 23;
inline constexpr size_t kBaseTimestampAt = 27;
inline constexpr size_t kMaxTimestampAt = 35;
inline constexpr size_t kProducerIdAt = 43;
inline constexpr size_t kProducerEpochAt = 51;
inline constexpr size_t kBaseSequenceAt = 53;
inline constexpr size_t kRecordCountAt = 57;
inline constexpr size_t kRecordsAt = 61;

inline constexpr size_t kLengthOverhead = 12;            // bytes before what batchLength counts
inline constexpr size_t kHeaderBytes = kRecordsAt;       // the smallest batch: no records
inline constexpr size_t kMagicPeekBytes = kMagicAt + 1;  // enough to tell length and format
inline constexpr int32_t kLegacyMinLength = 14;          // smallest length that formats 0 and 1 may declare
inline constexpr int8_t kMagic = 2;

inline constexpr int16_t kCodecMask = 0x07;
inline constexpr int16_t kLogAppendTimeBit = 0x08;
inline constexpr int16_t kTransactionalBit = 0x10;
inline constexpr int16_t kControlBit = 0x20;
inline constexpr int16_t kDeleteHorizonBit = 0x40;

// The smallest record: length, attributes, two deltas, null key, null value, no headers, each in one byte.
inline constexpr size_t kMinRecordBytes = 7;

// Control records (key = version:i16 type:i16).
inline constexpr int16_t kControlAbort = 0;
inline constexpr int16_t kControlCommit = 1;

}  // namespace sluice::batch
