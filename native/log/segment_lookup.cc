#include "log/segment_lookup.h"

#include <algorithm>

#include "base/buffer.h"
#include "base/limits.h"
#include "batch/batch_view.h"
#include "batch/codec.h"
#include "batch/record.h"
#include "log/batch_scanner.h"
#include "log/log_format.h"
#include "log/offset_index.h"
#include "log/saturate.h"

namespace sluice::log {
namespace {

std::string At(const Segment& segment, int64_t position) { return segment.log_path() + " at " + std::to_string(position); }

// A reader over the view's index; opens the file only if something is in it.
Result<std::shared_ptr<io::File>> FileOf(const SegmentView& view, IndexFile& index, const IndexSnapshot& snapshot, const char* suffix, ReadMode mode) {
  if (snapshot.tail_first == 0) return std::shared_ptr<io::File>();
  return index.OpenFile(view.segment->fs(), view.segment->PathOf(suffix), mode);
}

Result<OffsetEntry> StartFor(const SegmentView& view, Offset target, ReadMode mode) {
  Segment& segment = *view.segment;
  Result<std::shared_ptr<io::File>> file = FileOf(view, segment.offset_index(), view.offsets, kOffsetIndexSuffix, mode);
  if (!file.ok()) return file.status();
  IndexReader reader(view.offsets, kOffsetEntryBytes, file->get(), mode);
  return LookupOffset(reader, segment.base(), target);
}

// Errors that say the index file is wrong or missing, not that it has to be waited for.
bool IndexIsBad(Code code) { return code == Code::kCorrupt || code == Code::kNotFound; }

// Errors of a scan that began where no batch begins.
bool NoBatch(Code code) { return code == Code::kCorrupt || code == Code::kUnsupportedFormat; }

void ReplaceIndex(const SegmentView& view, const LookupContext& context) {
  Segment& segment = *view.segment;
  if (segment.retired()) return;   // it has left the log, and its index its name
  const std::string path = segment.PathOf(kOffsetIndexSuffix);
  if (!segment.sealed()) {
    if (context.reporter != nullptr) context.reporter->Report(Severity::kWarn, path + " does not fit the data; looking without it");
    return;
  }
  const Status rebuilt = segment.RebuildSealedIndexes(context.index_interval);
  if (context.reporter != nullptr) {
    context.reporter->Report(Severity::kWarn, path + " did not fit the data; " + (rebuilt.ok() ? "made anew" : "could not be made anew: " + rebuilt.ToString()));
  }
}

}  // namespace

Result<std::optional<Located>> LocateBatch(const SegmentView& view, Offset target, const LookupContext& context) {
  if (view.size == 0) return std::optional<Located>();
  Segment& segment = *view.segment;
  SLUICE_TRY(segment.EnsureOpen(context.mode));
  Result<OffsetEntry> start = StartFor(view, target, context.mode);
  bool bad = !start.ok() && IndexIsBad(start.code());
  if (!start.ok() && !bad) return start.status();
  int64_t from = bad ? 0 : start->position;
  if (from < 0 || from >= view.size) bad = true;
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (bad) {
      if (context.mode == ReadMode::kNoWait) return Status::Error(Code::kWouldBlock, "index of " + segment.log_path());
      from = 0;
    }
    BatchScanner scanner(segment.log_file(), {.from = from, .end = view.size, .mode = context.mode});
    bool first = true;
    while (true) {
      const BatchScanner::Step step = scanner.Next();
      if (step == BatchScanner::Step::kEnd) {
        if (bad) ReplaceIndex(view, context);
        return std::optional<Located>();
      }
      const bool misplaced = first && from > 0 && (step == BatchScanner::Step::kBad ? NoBatch(scanner.status().code()) : scanner.head().base > start->last);
      if (misplaced) break;
      if (step == BatchScanner::Step::kBad) {
        return Status::Error(scanner.status().code(), At(segment, scanner.position()) + ": " + scanner.status().what(), scanner.status().sys_errno());
      }
      first = false;
      if (scanner.head().last() >= target) {
        if (bad) ReplaceIndex(view, context);
        return std::optional<Located>(Located{scanner.position(), scanner.head()});
      }
    }
    bad = true;
  }
  return Status::Error(Code::kCorrupt, At(segment, 0) + ": no batch where one must be");
}

Result<int64_t> LastBatchEnd(const SegmentView& view, int64_t from, int64_t limit, const LookupContext& context) {
  Segment& segment = *view.segment;
  int64_t at = from;
  Result<std::shared_ptr<io::File>> file = FileOf(view, segment.offset_index(), view.offsets, kOffsetIndexSuffix, context.mode);
  if (!file.ok() && file.code() == Code::kWouldBlock) return file.status();
  if (file.ok() && view.offsets.count > 0) {
    IndexReader reader(view.offsets, kOffsetEntryBytes, file->get(), context.mode);
    Result<int64_t> boundary = LastBoundary(reader, limit);
    if (!boundary.ok() && boundary.code() == Code::kWouldBlock) return boundary.status();
    if (boundary.ok() && *boundary > at && *boundary <= limit) at = *boundary;
  }
  // Between two index entries lie few batches, or none but large ones.
  BatchScanner scanner(segment.log_file(), {.from = at, .end = view.size, .mode = context.mode});
  while (scanner.Next() == BatchScanner::Step::kBatch && scanner.next_position() <= limit) at = scanner.next_position();
  if (scanner.status().code() == Code::kWouldBlock) return scanner.status();
  return at;
}

namespace {

// The first record of a batch that `wanted` takes; nothing when there is none.
template <class Wanted>
Result<std::optional<FoundTimestamp>> FirstRecord(Bytes bytes, Wanted wanted) {
  Result<batch::BatchView> view = batch::ParseBatch(bytes);
  if (!view.ok()) return view.status();
  const bool append_time = view->log_append_time();
  Buffer plain;
  Bytes records = view->records();
  if (view->compressed()) {
    SLUICE_TRY(batch::Decompress(view->codec(), records, kDefaultMaxDecompressedBytes, &plain));
    records = plain.bytes();
  }
  batch::RecordWalker walker(records, view->record_count());
  batch::RecordView record;
  while (true) {
    const batch::RecordWalker::Step step = walker.Next(&record);
    if (step == batch::RecordWalker::Step::kBad) return walker.status();
    if (step == batch::RecordWalker::Step::kEnd) return std::optional<FoundTimestamp>();
    const TimestampMs time = append_time ? view->max_timestamp() : TimestampMs(SaturatingAdd(view->base_timestamp().v, record.timestamp_delta));
    const Offset offset = view->base_offset() + record.offset_delta;
    if (wanted(time, offset)) return std::optional<FoundTimestamp>(FoundTimestamp{time, offset, view->leader_epoch()});
  }
}

// Walks the batches from `from` on: those that `may` accepts by their header are looked into for a record that `wanted` takes.
template <class May, class Wanted>
Result<std::optional<FoundTimestamp>> FindRecord(const SegmentView& view, int64_t from, May may, Wanted wanted) {
  Segment& segment = *view.segment;
  BatchScanner scanner(segment.log_file(), {.from = from, .end = view.size});
  while (scanner.Next() == BatchScanner::Step::kBatch) {
    if (!may(scanner.head())) continue;
    Result<Bytes> body = scanner.Body(kMaxBatchBytes);
    if (!body.ok()) return body.status();
    Result<std::optional<FoundTimestamp>> found = FirstRecord(*body, wanted);
    if (!found.ok()) return Status::Error(found.code(), At(segment, scanner.position()) + ": " + found.status().what());
    if (*found) return found;
  }
  if (scanner.status().ok()) return std::optional<FoundTimestamp>();
  return Status::Error(scanner.status().code(), At(segment, scanner.position()) + ": " + scanner.status().what(), scanner.status().sys_errno());
}

}  // namespace

Result<std::optional<FoundTimestamp>> LocateTimestamp(const SegmentView& view, TimestampMs target, Offset from, const LookupContext& context) {
  if (view.size == 0) return std::optional<FoundTimestamp>();
  Segment& segment = *view.segment;
  SLUICE_TRY(segment.EnsureOpen(context.mode));
  // The time index narrows by time, the offset index turns its answer into a position.
  Offset begin = from;
  Result<std::shared_ptr<io::File>> file = FileOf(view, segment.time_index(), view.times, kTimeIndexSuffix, context.mode);
  if (!file.ok() && !IndexIsBad(file.code())) return file.status();
  if (file.ok()) {
    IndexReader reader(view.times, kTimeEntryBytes, file->get(), context.mode);
    Result<TimestampAt> entry = LookupTime(reader, segment.base(), target);
    if (!entry.ok() && !IndexIsBad(entry.code())) return entry.status();
    if (entry.ok()) begin = std::max(begin, entry->offset);
  }
  Result<std::optional<Located>> at = LocateBatch(view, std::max(begin, segment.base()), context);
  if (!at.ok()) return at.status();
  if (!*at) return std::optional<FoundTimestamp>();
  return FindRecord(
      view, (*at)->position, [&](const BatchHead& batch) { return batch.max_timestamp >= target; },
      [&](TimestampMs time, Offset offset) { return time >= target && offset >= from; });
}

Result<std::optional<FoundTimestamp>> LocateMaxTimestamp(const SegmentView& view, const TimestampAt& max, const LookupContext& context) {
  if (view.size == 0) return std::optional<FoundTimestamp>();
  SLUICE_TRY(view.segment->EnsureOpen(context.mode));
  Result<std::optional<Located>> at = LocateBatch(view, max.offset, context);
  if (!at.ok()) return at.status();
  if (!*at) return std::optional<FoundTimestamp>();
  return FindRecord(
      view, (*at)->position, [&](const BatchHead& batch) { return batch.max_timestamp == max.timestamp; },
      [&](TimestampMs time, Offset) { return time == max.timestamp; });
}

}  // namespace sluice::log
