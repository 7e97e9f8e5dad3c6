// Finding a batch in a segment: index, then a short walk over headers.
//
// Thread: any. Owns: nothing; a view pins its segment.
// After error: kWouldBlock asks for another try in kBlocking on the pool; kNotFound says that the segment's files are gone (deleted meanwhile).
#pragma once

#include <optional>

#include "log/batch_head.h"
#include "log/env.h"
#include "log/log_segment.h"

namespace sluice::log {

struct LookupContext {
  ReadMode mode = ReadMode::kBlocking;
  Reporter* reporter = nullptr;
  int64_t index_interval = 4096;   // for an index that has to be made again
};

struct Located {
  int64_t position = 0;
  BatchHead batch;
};

// The first batch whose last offset is not below `target`; nothing when the segment ends before. An index that does not fit the data is reported, and
// made again if the segment is sealed.
Result<std::optional<Located>> LocateBatch(const SegmentView& view, Offset target, const LookupContext& context);

// The end of the last whole batch that ends at or before `limit`, looking from the batch that begins at `from` on (which may end beyond: then the answer
// is `from`). In kBlocking it never fails: what cannot be read ends the walk.
Result<int64_t> LastBatchEnd(const SegmentView& view, int64_t from, int64_t limit, const LookupContext& context);

// The first record with a timestamp of at least `target` and an offset of at least `from`: (timestamp, offset, epoch). Looks into batches.
struct FoundTimestamp {
  TimestampMs timestamp;
  Offset offset;
  LeaderEpoch epoch;
};
Result<std::optional<FoundTimestamp>> LocateTimestamp(const SegmentView& view, TimestampMs target, Offset from, const LookupContext& context);
// The first record that has the segment's largest timestamp `max`.
Result<std::optional<FoundTimestamp>> LocateMaxTimestamp(const SegmentView& view, const TimestampAt& max, const LookupContext& context);

}  // namespace sluice::log
