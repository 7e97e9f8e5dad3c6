// Offset index: for a sparse set of batches, (last offset of the batch, position of the batch). Kafka's .index.
//
// A batch gets an entry when more than index.interval.bytes lie between it and the batch of the entry before (or the start of the file).
// Thread: any. Owns: nothing. After error: as IndexReader.
#pragma once

#include "base/endian.h"
#include "log/index_file.h"
#include "log/log_format.h"

namespace sluice::log {

struct OffsetEntry {
  Offset last;       // of the batch at `position`
  int64_t position = 0;
};

inline void EncodeOffsetEntry(Offset base, const OffsetEntry& entry, uint8_t out[kOffsetEntryBytes]) {
  StoreI32(out, static_cast<int32_t>(entry.last - base));
  StoreI32(out + 4, static_cast<int32_t>(entry.position));
}
inline OffsetEntry DecodeOffsetEntry(Offset base, const uint8_t* p) { return {base + LoadI32(p), LoadI32(p + 4)}; }

// Where to begin looking for `target`: the batch of the last entry whose offset is not above it, else the start of the segment (last = base - 1).
inline Result<OffsetEntry> LookupOffset(IndexReader& reader, Offset base, Offset target) {
  Result<int64_t> slot = reader.LastNotAbove(target - base, [](const uint8_t* p) { return int64_t{LoadI32(p)}; });
  if (!slot.ok()) return slot.status();
  if (*slot < 0) return OffsetEntry{base - 1, 0};
  Result<const uint8_t*> entry = reader.At(*slot);
  if (!entry.ok()) return entry.status();
  return DecodeOffsetEntry(base, *entry);
}

// The last batch with an entry that begins at or before `position`; position 0 when there is none.
inline Result<int64_t> LastBoundary(IndexReader& reader, int64_t position) {
  const auto key = [](const uint8_t* p) { return int64_t{LoadI32(p + 4)}; };
  Result<int64_t> slot = reader.LastNotAbove(position, key);
  if (!slot.ok()) return slot.status();
  if (*slot < 0) return int64_t{0};
  Result<const uint8_t*> entry = reader.At(*slot);
  if (!entry.ok()) return entry.status();
  return key(*entry);
}

}  // namespace sluice::log
