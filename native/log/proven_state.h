// What a checkpoint says of one log: everything that holds at its proven end, so that a restart reads no data before it.
//
//   proven   = version:u8 (1) mode:u8 log start:i64 end:i64 recovery point:i64
//              segment base:i64 position:i64 offset entries:u32 time entries:u32 aborted:u32 largest timestamp:i64 its offset:i64
//              epoch count:u32 (epoch:i32 start:i64)*
//              producer count:u32 producer*  invisible count:u32 (first:i64 marker:i64)*
//              crc32c:u32 of all before
//   producer = id:i64 epoch:i16 coordinator epoch:i32 last timestamp:i64 open transaction:i64 batch count:u8
//              (last sequence:i32 offset delta:i32 last offset:i64 timestamp:i64)*                 oldest first
// All numbers are little-endian. `segment base` names the active segment, `position` its length, the entry counts its indexes'.
//
// Thread: any. Owns: nothing. After error: nothing was decoded.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "log/config.h"
#include "log/leader_epochs.h"
#include "log/producer_state.h"
#include "log/time_index.h"

namespace sluice::log {

struct ProvenState {
  Durability mode = Durability::kFsync;
  Offset log_start{0};
  Offset end{0};
  Offset recovery_point{0};
  Offset segment_base{0};
  int64_t position = 0;
  uint32_t offset_entries = 0;
  uint32_t time_entries = 0;
  uint32_t aborted = 0;
  TimestampAt max;
  LeaderEpochs epochs;
  ProducerState producers;
};

// `state` without its epochs and producers, which are passed as they stand.
void EncodeProvenState(const ProvenState& state, const LeaderEpochs& epochs, const ProducerState& producers, std::string* out);
// kCorrupt, or kUnsupportedFormat for a version that is not ours.
Result<ProvenState> DecodeProvenState(std::string_view bytes);

}  // namespace sluice::log
