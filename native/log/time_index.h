// Time index: (largest timestamp up to here, last offset of the batch that has it). Kafka's .timeindex.
//
// An entry is added with each offset index entry and when a segment is sealed or closed, if the timestamp is larger than the last entry's.
// Thread: any. Owns: nothing. After error: as IndexReader.
#pragma once

#include "base/endian.h"
#include "log/index_file.h"
#include "log/log_format.h"

namespace sluice::log {

struct TimestampAt {
  TimestampMs timestamp{-1};
  Offset offset{-1};  // last offset of the batch that has it
};

inline void EncodeTimeEntry(Offset base, const TimestampAt& entry, uint8_t out[kTimeEntryBytes]) {
  StoreI64(out, entry.timestamp.v);
  StoreI32(out + 8, static_cast<int32_t>(entry.offset - base));
}
inline TimestampAt DecodeTimeEntry(Offset base, const uint8_t* p) { return {TimestampMs(LoadI64(p)), base + LoadI32(p + 8)}; }

// The last entry whose timestamp is not above `target`, else (-1, base).
inline Result<TimestampAt> LookupTime(IndexReader& reader, Offset base, TimestampMs target) {
  Result<int64_t> slot = reader.LastNotAbove(target.v, [](const uint8_t* p) { return LoadI64(p); });
  if (!slot.ok()) return slot.status();
  if (*slot < 0) return TimestampAt{kNoTimestamp, base};
  Result<const uint8_t*> entry = reader.At(*slot);
  if (!entry.ok()) return entry.status();
  return DecodeTimeEntry(base, *entry);
}

}  // namespace sluice::log
