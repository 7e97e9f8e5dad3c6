// What the reading workloads share: where partitions begin and end, an answer to Fetch taken apart in place, and whether what was fetched is what
// was sent.
//
// Thread: the loop's. Owns: the expected content. After error: Die; a load generator that cannot trust what it reads is of no use.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "connection.h"

namespace sluice::bench {

constexpr int64_t kLatest = -1, kEarliest = -2;

struct Cursor {
  int32_t partition;
  int64_t offset = 0;
  int64_t end = 0;
};

// ListOffsets for all cursors: the offset of the earliest or latest record, in the cursors' order.
std::vector<int64_t> FindOffsets(Connection& connection, const std::string& topic, const std::vector<Cursor>& cursors, int64_t which);

// Calls back with each partition's records. Dies on any error code.
void ForEachPartition(Bytes answer, const std::function<void(int32_t partition, Bytes records)>& take);

// Walks fetched batches: offsets must go on without a gap, and the content of one batch in `every` (0: none) is compared, byte by byte, with what
// sluice-load produces for this record size and count. Batches of another shape are held against their CRC instead.
class ContentCheck {
 public:
  ContentCheck(int batch_records, int record_size, int every);
  // Moves `offset` behind the last complete batch; returns the records that were walked.
  uint64_t Walk(Bytes records, int64_t* offset);

 private:
  const std::vector<uint8_t> expected_;
  const int every_;
  uint64_t batches_ = 0;
};

}  // namespace sluice::bench
