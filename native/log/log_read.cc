// Reading: from an offset to a range of a segment file.
#include <algorithm>

#include "log/log_impl.h"
#include "log/segment_lookup.h"

namespace sluice::log {
namespace {

constexpr int64_t kHotBytes = int64_t{64} << 20;  // of the log's end, and written by this process: expected in the page cache

Status OutOfRange(Offset from, const Log& log) {
  return Status::Error(Code::kOffsetOutOfRange, log.name().ToString() + ": offset " + std::to_string(from.v) + " is outside " +
                                                    std::to_string(log.log_start().v) + " to " + std::to_string(log.next_offset().v));
}

LookupContext ContextOf(const ReadPlan& plan, ReadMode mode) { return {mode, plan.reporter, plan.index_interval}; }

// Where the records below plan.upper end: segment and position.
Result<std::pair<Offset, int64_t>> UpperBound(const ReadPlan& plan, ReadMode mode) {
  if (plan.upper_segment.v >= 0) return std::pair(plan.upper_segment, plan.upper_position);
  const ptrdiff_t i = FloorSegment(*plan.segments, plan.upper);
  if (i < 0) return std::pair(Offset(0), int64_t{0});
  const SegmentView view = ViewOf(*plan.segments, static_cast<size_t>(i), plan.active);
  Result<std::optional<Located>> at = LocateBatch(view, plan.upper, ContextOf(plan, mode));
  if (!at.ok()) return at.status();
  return std::pair(view.segment->base(), *at ? (*at)->position : view.size);
}

}  // namespace

Result<LogSlice> ReadSlice(const ReadPlan& plan, ReadMode mode) {
  const SegmentList& segments = *plan.segments;
  const LookupContext context = ContextOf(plan, mode);
  Result<std::pair<Offset, int64_t>> upper = UpperBound(plan, mode);
  if (!upper.ok()) return upper.status();
  for (size_t i = static_cast<size_t>(std::max<ptrdiff_t>(FloorSegment(segments, plan.from), 0)); i < segments.size(); ++i) {
    SegmentView view = ViewOf(segments, i, plan.active);
    if (view.segment->base() > upper->first) break;
    const int64_t limit = view.segment->base() == upper->first ? upper->second : view.size;
    Result<std::optional<Located>> found = LocateBatch(view, plan.from, context);
    if (!found.ok()) {
      // Deleted while the look-up was on its way: what the reader wanted is below the log start now.
      if (found.code() == Code::kNotFound) return Status::Error(Code::kOffsetOutOfRange, view.segment->log_path() + " was deleted");
      return found.status();
    }
    if (!*found) continue;
    const Located& first = **found;
    if (first.position >= limit) break;
    int64_t end = limit;
    if (limit - first.position > plan.max_bytes) {
      const int64_t first_end = first.position + first.batch.size;
      Result<int64_t> whole = LastBatchEnd(view, first.position, first.position + plan.max_bytes, context);
      if (!whole.ok()) return whole.status();
      end = *whole;
      if (end < first_end) {
        if (!plan.at_least_one) break;
        end = first_end;
      }
    }
    if (const std::optional<DamagedRange> damage = view.segment->DamageIn(first.position, end)) {
      if (damage->from <= first.position) {
        return Status::Error(Code::kCorrupt, view.segment->log_path() + " at " + std::to_string(first.position) + ": known to be damaged");
      }
      end = damage->from;
    }
    LogSlice slice;
    slice.segment = view.segment;
    slice.position = FilePosition(first.position);
    slice.length = end - first.position;
    slice.first_offset = first.batch.base;
    return slice;
  }
  return LogSlice();
}

ReadPlan Log::Impl::Plan(Offset from, int64_t max_bytes, bool at_least_one, Offset upper, bool copy) const {
  ReadPlan plan;
  plan.segments = segments;
  plan.active = active().View(active_ref(), copy);
  plan.from = from;
  plan.max_bytes = std::max<int64_t>(max_bytes, 0);
  plan.at_least_one = at_least_one;
  plan.upper = std::min(upper, high_watermark);
  if (plan.upper == marks[hw_mark].end) {
    plan.upper_segment = marks[hw_mark].segment;
    plan.upper_position = marks[hw_mark].position;
  }
  plan.index_interval = config.index_interval_bytes;
  plan.reporter = env.reporter;
  return plan;
}

Result<LogSlice> Log::Read(Offset from, int64_t max_bytes, bool at_least_one, Offset upper, ReadMode mode) {
  Impl& log = *impl_;
  if (!log.offline.ok()) return log.offline;
  if (from < log.log_start || from > log.next_offset) return OutOfRange(from, *this);
  upper = std::min(upper, log.high_watermark);
  if (from >= upper) return LogSlice();

  const auto hot = [&log](LogSlice slice) {
    if (slice.length > 0) {
      const Segment& segment = static_cast<const Segment&>(*slice.segment);
      slice.hot = slice.position.v >= segment.hot_from && log.bytes_written - (segment.bytes_before + slice.position.v) <= kHotBytes;
    }
    return slice;
  };
  // A consumer at the end asks from where the last answer ended: a boundary that is remembered, and no file is touched.
  const Impl::Mark& top = log.marks[log.hw_mark];
  if (upper == top.end) {
    const auto begin = log.marks.begin(), end = begin + static_cast<ptrdiff_t>(log.hw_mark);
    auto at = std::lower_bound(begin, end, from, [](const Impl::Mark& mark, Offset o) { return mark.end < o; });
    if (at != end && at->end == from && at->segment == top.segment && top.position - at->position <= max_bytes &&
        log.active().base() == top.segment && log.active().data_open()) {
      return hot(LogSlice{log.active_ref(), FilePosition(at->position), top.position - at->position, from, false});
    }
  }
  Result<LogSlice> slice = ReadSlice(log.Plan(from, max_bytes, at_least_one, upper, false), mode);
  if (!slice.ok()) return slice;
  return hot(slice.take());
}

std::function<Result<LogSlice>()> Log::ColdRead(Offset from, int64_t max_bytes, bool at_least_one, Offset upper) {
  Impl& log = *impl_;
  if (!log.offline.ok()) return [status = log.offline]() -> Result<LogSlice> { return status; };
  if (from < log.log_start || from > log.next_offset) return [status = OutOfRange(from, *this)]() -> Result<LogSlice> { return status; };
  upper = std::min(upper, log.high_watermark);
  if (from >= upper) return []() -> Result<LogSlice> { return LogSlice(); };
  return [plan = log.Plan(from, max_bytes, at_least_one, upper, true)] { return ReadSlice(plan, ReadMode::kBlocking); };
}

std::vector<AbortedTransaction> Log::AbortedIn(Offset from, Offset upper) {
  Impl& log = *impl_;
  std::vector<AbortedTransaction> out;
  const SegmentList& segments = *log.segments;
  for (size_t i = static_cast<size_t>(std::max<ptrdiff_t>(FloorSegment(segments, from), 0)); i < segments.size(); ++i) {
    if (CollectAborted(segments[i]->aborted(), from, upper, [&](const AbortedTxn& txn) { out.push_back({txn.producer, txn.first}); })) break;
  }
  return out;
}

}  // namespace sluice::log
