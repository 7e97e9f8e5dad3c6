// Appending: staging, writing, rolling, and taking back what could not be written.
#include <algorithm>

#include "batch/stamp.h"
#include "log/log_format.h"
#include "log/log_impl.h"
#include "log/producer_snapshot.h"

namespace sluice::log {

Result<AppendResult> Log::Append(MutableBytes bytes, AppendOrigin origin, TimestampMs now) {
  Impl& log = *impl_;
  if (!log.offline.ok()) return log.offline;
  if (log.closed || log.replay != nullptr) return Status::Error(Code::kOffline, log.name.ToString() + " is not open for appends");
  if (static_cast<int64_t>(bytes.size()) > std::min(log.config.segment_bytes, kMaxSegmentBytes)) {
    return Status::Error(Code::kTooLarge, "batch of " + std::to_string(bytes.size()) + " bytes does not fit segment.bytes");
  }
  // The caller has validated the batch; what follows rests on these few fields.
  Result<BatchHead> head = ParseBatchHead(bytes, static_cast<int64_t>(bytes.size()));
  if (!head.ok()) return head.status();
  if (head->size != static_cast<int64_t>(bytes.size())) return Status::Error(Code::kInvalid, "more than one batch");
  const ProducerState::Origin as = origin == AppendOrigin::kClient ? ProducerState::Origin::kClient : ProducerState::Origin::kCoordinator;
  Impl::Staged item{bytes, *head, now, {}, {}, -1};
  if (head->has_producer()) {
    if (head->control()) {
      Result<std::optional<TxnMarker>> marker = ReadTxnMarker(bytes);
      if (!marker.ok()) return marker.status();
      item.marker = *marker;
      if (item.marker) SLUICE_TRY(log.producers.CheckMarker(*head, *item.marker));
    } else {
      Result<std::optional<ProducerBatch>> repeated = log.producers.Check(*head, as);
      if (!repeated.ok()) return repeated.status();
      if (*repeated) return AppendResult{(*repeated)->first(), (*repeated)->last, (*repeated)->timestamp, true};
    }
  }
  if (log.next_offset.v > INT64_MAX - INT32_MAX - 1) return Status::Error(Code::kInvalid, "the log has no offsets left");

  const Offset base = log.next_offset;
  if (log.config.log_append_time) {
    batch::StampTimestamps(bytes, true, now);
    item.head.max_timestamp = now;
  }
  batch::StampOffset(bytes, base, log.epoch);
  item.head.base = base;
  item.head.epoch = log.epoch;
  if (head->has_producer()) {
    item.undo = static_cast<int32_t>(log.undos.size());
    item.completed = log.producers.Apply(item.head, item.marker, &log.undos.emplace_back());
  }
  log.next_offset = item.head.end();
  log.staged.push_back(std::move(item));
  return AppendResult{base, base + head->last_delta, log.config.log_append_time ? now : kNoTimestamp, false};
}

void Log::RefuseStaged(const Status& why) { impl_->TakeBack(impl_->copies.size(), why); }

Status Log::WriteStaged(const std::function<bool()>& make_space, const std::function<void(const BatchEntry&)>& journaled) {
  Impl& log = *impl_;
  if (!log.offline.ok()) return log.offline;
  std::vector<iovec> parts;
  for (size_t first = 0; first < log.staged.size();) {
    const auto fail = [&](const Status& why) {
      log.DropStaged(first);
      log.CutHalfWritten();
      log.TakeBack(0, why);
      if (!IsLack(why.code())) TakeOffline(why);
      return why;
    };
    if (log.active().ShouldRoll(log.config, log.staged[first].head, log.staged[first].now, {})) {
      const Status rolled = log.RollTo(log.staged[first].head.base, first);
      if (rolled.code() == Code::kNoSpace && make_space && make_space()) continue;
      if (rolled.code() == Code::kWouldBlock) {
        log.DropStaged(first);
        return rolled;
      }
      if (!rolled.ok()) return fail(rolled);
    }
    Segment& segment = log.active();
    SegmentGrowth growth(segment);
    parts.clear();
    size_t last = first;
    while (last < log.staged.size()) {
      Impl::Staged& item = log.staged[last];
      if (last > first && segment.ShouldRoll(log.config, item.head, item.now, growth)) break;
      growth.Add(item.head, log.config.index_interval_bytes);
      parts.push_back({item.bytes.data(), item.bytes.size()});
      ++last;
    }
    int64_t position = segment.size();
    const Status written = segment.Write(parts, growth.bytes);
    if (written.code() == Code::kNoSpace && make_space && make_space()) continue;
    if (!written.ok()) return fail(written);
    log.NoteWritten(first, last, position, journaled);
    first = last;
    // Memory for index entries stays bounded between syncs; what cannot be written now is written by the next.
    constexpr int64_t kMaxUnflushed = 1024;
    if (segment.offset_index().unflushed() > kMaxUnflushed) (void)segment.FlushIndexes();
  }
  log.staged.clear();
  log.undos.clear();
  SLUICE_ASSERT(log.copies.empty());
  log.CheckEnds();
  return Status::Ok();
}

Status Log::Roll() {
  Impl& log = *impl_;
  if (!log.offline.ok()) return log.offline;
  SLUICE_ASSERT(log.staged.empty());
  if (log.active().size() == 0) return Status::Ok();
  return log.RollTo(log.next_offset, 0);
}

// staged[first, last) lie in the active segment from `position` on.
void Log::Impl::NoteWritten(size_t first, size_t last, int64_t position, const std::function<void(const BatchEntry&)>& journaled) {
  Segment& segment = active();
  const int64_t begin = position;
  for (; first < last; ++first) {
    const Staged& item = staged[first];
    NoteBatch(item.head, position);
    marks.push_back({written_end, segment.base(), position + item.head.size});
    if (item.completed && item.completed->abort) {
      segment.AddAborted({item.completed->producer, item.completed->first, item.completed->last, item.completed->last_stable});
    }
    if (journaled && config.durability == Durability::kFsync) {
      journaled({{id, name.partition}, item.head.base, item.head.end(), item.head.epoch, segment.base(), FilePosition(position), item.bytes});
    }
    position += item.head.size;
  }
  total_size += position - begin;
  bytes_written += position - begin;
}

// Takes up a batch that lies in the active segment.
void Log::Impl::NoteBatch(const BatchHead& batch, int64_t position) {
  Segment& segment = active();
  segment.Note(batch, position, config.index_interval_bytes);
  if (batch.epoch.v >= 0 && batch.epoch > epochs.latest() && epochs.Assign(batch.epoch, batch.base)) epochs_dirty = true;
  written_end = batch.end();
  next_offset = std::max(next_offset, written_end);
}

// A new active segment that begins at `base`. `staged_from`: what is staged from there on belongs behind it.
Status Log::Impl::RollTo(Offset base, size_t staged_from) {
  auto segment = std::make_shared<Segment>(*env.fs, shared_dir, base, Now().v);
  SLUICE_TRY(segment->Create());
  const Status sealed = active().Seal();
  if (!sealed.ok()) {
    (void)env.fs->Remove(segment->log_path());
    NamesChanged();   // a sync of the directory may have made the name durable meanwhile
    return sealed;
  }
  TakeUpRoll(std::move(segment), staged_from);
  return Status::Ok();
}

void Log::Impl::TakeUpRoll(std::shared_ptr<Segment> segment, size_t staged_from) {
  const Offset base = segment->base();
  segment->bytes_before = bytes_written;
  AddSegment(std::move(segment));
  NamesChanged();
  AddSnapshot(base, SnapshotAt(staged_from));
}

void Log::Impl::RevertStaged(size_t from) {
  for (size_t i = staged.size(); i-- > from;) {
    if (staged[i].undo >= 0) producers.Revert(undos[static_cast<size_t>(staged[i].undo)]);
  }
}

void Log::Impl::ApplyStaged(size_t from) {
  for (size_t i = from; i < staged.size(); ++i) {
    if (staged[i].undo >= 0) (void)producers.Apply(staged[i].head, staged[i].marker, nullptr);
  }
}

// The producers as they were before staged[from].
std::string Log::Impl::SnapshotAt(size_t from) {
  RevertStaged(from);
  std::string content = EncodeProducerSnapshot(producers);
  ApplyStaged(from);
  return content;
}

void Log::Impl::AddSnapshot(Offset offset, std::string content) {
  if (!snapshots.empty() && snapshots.back() >= offset) return;
  pending_files.push_back({JoinPath(dir, SegmentFileName(offset, kSnapshotSuffix)), std::move(content)});
  snapshots.push_back(offset);
}

// What lies in the segment is no longer staged.
void Log::Impl::DropStaged(size_t count) {
  const size_t copied = std::min(count, copies.size());
  for (size_t i = 0; i < copied; ++i) kept_bytes -= staged[i].head.size;
  copies.erase(copies.begin(), copies.begin() + static_cast<ptrdiff_t>(copied));
  staged.erase(staged.begin(), staged.begin() + static_cast<ptrdiff_t>(count));
  int32_t gone = static_cast<int32_t>(undos.size());
  for (const Staged& item : staged) {
    if (item.undo < 0) continue;
    gone = item.undo;
    break;
  }
  undos.erase(undos.begin(), undos.begin() + gone);
  for (Staged& item : staged) item.undo -= item.undo < 0 ? 0 : gone;
}

void Log::Impl::TakeBack(size_t from, const Status& why) {
  RevertStaged(from);
  for (size_t i = from; i < copies.size(); ++i) kept_bytes -= staged[i].head.size;
  if (copies.size() > from) copies.resize(from);
  staged.erase(staged.begin() + static_cast<ptrdiff_t>(from), staged.end());
  if (staged.empty()) undos.clear();
  next_offset = staged.empty() ? written_end : staged.back().head.end();
  FailWaiters(next_offset, why);
}

// A write that failed has left bytes behind the end.
void Log::Impl::CutHalfWritten() {
  if (!active().data_open()) return;
  const Status cut = active().CutBackTo(active().size());
  if (cut.ok()) return;
  Report(Severity::kError, active().log_path() + ": what was half written cannot be cut off: " + cut.ToString());
  if (offline.ok()) self->TakeOffline(cut);
}

}  // namespace sluice::log
