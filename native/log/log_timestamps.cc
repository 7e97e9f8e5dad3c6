// Finding offsets by time.
#include <algorithm>

#include "log/log_impl.h"
#include "log/segment_lookup.h"

namespace sluice::log {
namespace {

std::optional<TimestampOffset> Below(const std::optional<FoundTimestamp>& found, Offset high_watermark) {
  if (!found || found->offset >= high_watermark) return std::nullopt;
  return TimestampOffset{found->timestamp, found->offset, found->epoch};
}

Result<TimestampAt> MaxOf(const SegmentView& view) {
  if (view.max) return *view.max;
  return view.segment->MaxTimestamp(ReadMode::kBlocking);
}

// Segments that retention takes away during the search are as if they had never been asked.
bool Gone(const Status& status) { return status.code() == Code::kNotFound; }

}  // namespace

std::function<Result<std::optional<TimestampOffset>>()> Log::FindTimestamp(TimestampMs at_least) {
  Impl& log = *impl_;
  if (!log.offline.ok()) return [status = log.offline]() -> Result<std::optional<TimestampOffset>> { return status; };
  return [plan = log.Plan(log.log_start, 0, false, log.high_watermark, true), start = log.log_start, at_least]() -> Result<std::optional<TimestampOffset>> {
    const LookupContext context{ReadMode::kBlocking, plan.reporter, plan.index_interval};
    for (size_t i = 0; i < plan.segments->size(); ++i) {
      const SegmentView view = ViewOf(*plan.segments, i, plan.active);
      Result<TimestampAt> max = MaxOf(view);
      if (!max.ok() && Gone(max.status())) continue;
      if (!max.ok()) return max.status();
      // Kafka stops at the first segment that reaches the time, whatever the search in it says.
      if (max->timestamp < at_least) continue;
      Result<std::optional<FoundTimestamp>> found = LocateTimestamp(view, at_least, start, context);
      if (!found.ok() && Gone(found.status())) continue;
      if (!found.ok()) return found.status();
      return Below(*found, plan.upper);
    }
    return std::optional<TimestampOffset>();
  };
}

std::function<Result<std::optional<TimestampOffset>>()> Log::FindMaxTimestamp() {
  Impl& log = *impl_;
  if (!log.offline.ok()) return [status = log.offline]() -> Result<std::optional<TimestampOffset>> { return status; };
  return [plan = log.Plan(log.log_start, 0, false, log.high_watermark, true)]() -> Result<std::optional<TimestampOffset>> {
    std::optional<SegmentView> best;
    TimestampAt best_max;
    for (size_t i = 0; i < plan.segments->size(); ++i) {
      SegmentView view = ViewOf(*plan.segments, i, plan.active);
      Result<TimestampAt> max = MaxOf(view);
      if (!max.ok() && Gone(max.status())) continue;
      if (!max.ok()) return max.status();
      if (best && max->timestamp <= best_max.timestamp) continue;
      best = std::move(view);
      best_max = *max;
    }
    if (!best || best_max.timestamp.v < 0) return std::optional<TimestampOffset>();
    Result<std::optional<FoundTimestamp>> found = LocateMaxTimestamp(*best, best_max, {ReadMode::kBlocking, plan.reporter, plan.index_interval});
    if (!found.ok()) return found.status();
    return Below(*found, plan.upper);
  };
}

}  // namespace sluice::log
