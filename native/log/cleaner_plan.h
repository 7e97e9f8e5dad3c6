// How dirty a log is, and what of it may be compacted now: Apache Kafka's measure.
//
// Thread: any; of the segments only sealed ones are touched. Owns: nothing; a view pins its segments.
// After error: no answer; kNotFound when segments went meanwhile.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "log/config.h"
#include "log/log_segment.h"

namespace sluice::log {

using SegmentVector = std::vector<std::shared_ptr<Segment>>;

// What the cleaner has to know of a log, fixed at one moment.
struct CleanView {
  TopicIdPartition id;
  TopicPartition name;
  LogConfig config;
  std::shared_ptr<const std::string> dir;
  std::shared_ptr<const SegmentVector> segments;   // the last one is active: only its base counts
  Offset log_start{0};
  Offset last_stable{0};
  Offset end{0};
};

struct CleanRange {
  Offset first_dirty{0};          // below it every key is there once
  Offset first_uncleanable{0};    // a segment's base: compaction ends here
  bool invalid = false;           // what was noted of earlier cleanings does not fit this log and was left out
  bool due = false;
  double ratio = 0;               // of dirty bytes among those that may be cleaned
};

// `cleaned_to`: where the last cleaning ended, if there was one. Blocking where lags are set, which need times from the files.
Result<CleanRange> MeasureDirt(const CleanView& view, std::optional<Offset> cleaned_to, TimestampMs now);

// Segments [first, last) of a list become one.
struct CleanGroup {
  size_t first = 0, last = 0;
};
// Groups the first `count` segments so that no result grows beyond what a segment may be.
std::vector<CleanGroup> GroupSegments(const SegmentVector& segments, size_t count, const LogConfig& config, Offset first_uncleanable);

}  // namespace sluice::log
