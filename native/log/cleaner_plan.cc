#include "log/cleaner_plan.h"

#include <algorithm>

#include "log/batch_scanner.h"
#include "log/log_format.h"
#include "log/offset_index.h"
#include "log/saturate.h"
#include "log/time_index.h"

namespace sluice::log {
namespace {

// Index of the segment that holds `offset`, of the first one where all begin behind it.
size_t Holding(const SegmentVector& segments, Offset offset) {
  auto above = std::upper_bound(segments.begin(), segments.end(), offset, [](Offset o, const std::shared_ptr<Segment>& s) { return o < s->base(); });
  return above == segments.begin() ? 0 : static_cast<size_t>(above - segments.begin() - 1);
}

Result<TimestampMs> FirstTimestamp(Segment& segment) {
  if (segment.size() == 0) return kNoTimestamp;
  SLUICE_TRY(segment.EnsureOpen(ReadMode::kBlocking));
  BatchScanner scanner(segment.log_file(), {.from = 0, .end = segment.size()});
  if (scanner.Next() == BatchScanner::Step::kBatch) return scanner.head().max_timestamp;
  return Status::Error(scanner.status().code(), segment.log_path() + " at 0: " + scanner.status().what(), scanner.status().sys_errno());
}

}  // namespace

Result<CleanRange> MeasureDirt(const CleanView& view, std::optional<Offset> cleaned_to, TimestampMs now) {
  const SegmentVector& segments = *view.segments;
  const size_t sealed = segments.size() - 1;
  CleanRange range;
  range.first_dirty = cleaned_to.value_or(view.log_start);
  if (range.first_dirty < view.log_start || range.first_dirty > view.end) {
    range.first_dirty = view.log_start;
    range.invalid = true;
  }
  const size_t first_dirty_segment = std::min(Holding(segments, range.first_dirty), sealed);
  Offset uncleanable = std::min(view.last_stable, segments[sealed]->base());
  if (view.config.min_compaction_lag_ms > 0) {
    for (size_t i = first_dirty_segment; i < sealed; ++i) {
      Result<TimestampAt> max = segments[i]->MaxTimestamp(ReadMode::kBlocking);
      if (!max.ok()) return max.status();
      TimestampMs largest = max->timestamp;
      if (largest.v < 0) {
        Result<int64_t> modified = segments[i]->fs().ModifiedMs(segments[i]->log_path());
        if (!modified.ok()) return modified.status();
        largest = TimestampMs(*modified);
      }
      if (largest.v <= SaturatingSub(now.v, view.config.min_compaction_lag_ms)) continue;
      uncleanable = std::min(uncleanable, segments[i]->base());
      break;
    }
  }
  uncleanable = std::max(uncleanable, range.first_dirty);
  const size_t last = std::min(Holding(segments, uncleanable), sealed);
  range.first_uncleanable = segments[last]->base();

  int64_t clean = 0, dirty = 0;
  for (size_t i = 0; i < last; ++i) {
    if (segments[i]->base() < range.first_dirty) clean += segments[i]->size();
    if (i >= first_dirty_segment) dirty += segments[i]->size();
  }
  if (clean + dirty == 0) return range;
  range.ratio = static_cast<double>(dirty) / static_cast<double>(clean + dirty);
  range.due = range.ratio > view.config.min_cleanable_ratio;
  if (!range.due && dirty > 0 && view.config.max_compaction_lag_ms < INT64_MAX) {
    const int64_t until = SaturatingSub(now.v, std::max<int64_t>(view.config.max_compaction_lag_ms, 0));
    for (size_t i = first_dirty_segment; i < sealed && !range.due; ++i) {
      Result<TimestampMs> first = FirstTimestamp(*segments[i]);
      if (!first.ok()) return first.status();
      range.due = first->v > 0 && first->v < until;
    }
  }
  return range;
}

std::vector<CleanGroup> GroupSegments(const SegmentVector& segments, size_t count, const LogConfig& config, Offset first_uncleanable) {
  std::vector<CleanGroup> groups;
  for (size_t i = 0; i < count;) {
    CleanGroup group{i, i + 1};
    int64_t bytes = segments[i]->size();
    int64_t offsets = segments[i]->offset_index().count() * kOffsetEntryBytes, times = segments[i]->time_index().count() * kTimeEntryBytes;
    for (; group.last < count; ++group.last) {
      Segment& next = *segments[group.last];
      bytes += next.size();
      offsets += next.offset_index().count() * kOffsetEntryBytes;
      times += next.time_index().count() * kTimeEntryBytes;
      if (bytes > std::min(config.segment_bytes, kMaxSegmentBytes) || offsets > config.segment_index_bytes || times > config.segment_index_bytes) break;
      const Offset end = group.last + 1 < count ? segments[group.last + 1]->base() : first_uncleanable;
      if (next.size() > 0 && end - 1 - segments[i]->base() > kMaxRelativeOffset) break;
    }
    groups.push_back(group);
    i = group.last;
  }
  return groups;
}

}  // namespace sluice::log
