// Files of one segment as other layers and other threads see them. A SegmentRef pins the descriptor: it stays open though the segment be deleted.
// Thread: any; what a reader needs is immutable once the bytes are written.
// Owns: the descriptors.
// After error: as io::File.
#pragma once

#include <memory>
#include <string>

#include "base/types.h"
#include "io/file.h"

namespace sluice::log {

class SegmentFiles {
 public:
  virtual ~SegmentFiles() = default;
  virtual Offset base() const = 0;
  virtual io::File& log_file() = 0;   // .log; open in every LogSlice and SyncSet
  virtual const std::string& log_path() const = 0;
  // Brings to the index files what is in memory only. Pool thread.
  virtual Status WriteIndexes() = 0;
  // Makes durable what has been written to all files of the segment. Pool thread.
  virtual Status SyncFiles() = 0;
  // ... to the log's file alone.
  virtual Status SyncData() = 0;
  // Before a sync of the whole file system: the log's file, as io::File::WriteOut, and what is missing in the index files. Thousands of segments
  // are synced so at once: no descriptor is left open for an index.
  virtual Status WriteOut() = 0;
  virtual Status WriteIndexesAway() = 0;
  // What became of the syncs so far, the one under way included: after one has failed, all fail. Pool thread.
  virtual Status SyncOutcome() = 0;
};
using SegmentRef = std::shared_ptr<SegmentFiles>;

}  // namespace sluice::log
