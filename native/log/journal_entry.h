// What a journal frame carries. Shared by the writer (Journal), the logs that produce entries and recovery that consumes them.
#pragma once

#include "base/bytes.h"
#include "base/types.h"

namespace sluice::log {

enum class EntryKind : uint8_t {
  kBatch = 1,     // records; see BatchEntry
  kLogStart = 2,  // the log start moved up to `offset`
  kSynced = 3,    // everything below `offset` is in the synced segment (large batches; mode changed to fsync)
  kDeleted = 4,   // the partition is gone
  kMode = 5,      // durability changed; `offset` holds the new Durability
};

// A batch as it lies in its segment. `batch` is stamped. A view: valid during the call that passes it.
struct BatchEntry {
  TopicIdPartition id;
  Offset base;                 // first offset of the batch
  Offset end;                  // one past its last offset
  LeaderEpoch epoch;
  Offset segment_base;         // base offset of the segment file
  FilePosition position;       // where the batch begins in it
  Bytes batch;
};

}  // namespace sluice::log
