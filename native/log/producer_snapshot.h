// Kafka's producer snapshot file: the producers of a log at one offset, the last batch of each.
//
//   snapshot = version:i16 (1) crc:u32 count:i32 producer*             crc is CRC-32C of what follows it
//   producer = id:i64 epoch:i16 last sequence:i32 last offset:i64 offset delta:i32 timestamp:i64 coordinator epoch:i32
//              first offset of its open transaction:i64 (-1 none)                                   (big-endian)
//
// Thread: any. Owns: nothing. After error: nothing was restored.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "log/producer_state.h"

namespace sluice::log {

inline constexpr int64_t kMaxSnapshotBytes = int64_t{1} << 30;

std::string EncodeProducerSnapshot(const ProducerState& state);
// Adds the producers of a snapshot to *state. kCorrupt when version, length or CRC do not hold.
Status DecodeProducerSnapshot(Bytes bytes, ProducerState* state);

}  // namespace sluice::log
