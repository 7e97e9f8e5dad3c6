// What leaves a log: by time, by size, by a moved start; and the deletion of the whole.
#include <algorithm>
#include <random>

#include "log/saturate.h"
#include "log/log_format.h"
#include "log/log_impl.h"
#include "log/producer_snapshot.h"
#include "log/sweeper.h"

namespace sluice::log {
namespace {

constexpr int64_t kExpiryCheckMs = 600000;  // producer.id.expiration.check.interval.ms
constexpr int64_t kIdleMs = 60000;          // an active segment that was not written for so long gives its descriptor back

std::string RandomHex32() {
  std::random_device device;
  std::string text;
  constexpr char kHex[] = "0123456789abcdef";
  for (int i = 0; i < 4; ++i) {
    uint32_t bits = device();
    for (int j = 0; j < 8; ++j, bits >>= 4) text.push_back(kHex[bits & 15]);
  }
  return text;
}

}  // namespace

bool Log::Impl::MoveLogStart(Offset start) {
  if (start <= log_start) return false;
  SLUICE_ASSERT_OP(start.v, <=, high_watermark.v);
  log_start = start;
  if (epochs.TruncateFromStart(start)) epochs_dirty = true;
  return true;
}

// Takes the first `count` segments out of the log. Their files are renamed at once if what stays is durable by name, else with the next sync: after a
// crash in between there must be something that says where the log goes on.
void Log::Impl::Detach(size_t count, TimestampMs now) {
  if (count == 0) return;
  for (size_t i = 0; i < count; ++i) {
    detached.push_back((*segments)[i]);
    total_size -= (*segments)[i]->size();
  }
  DropSegments(0, count);
  if (!names_dirty) (void)RenameDetached(now);   // below the log start, where they harm nobody
}

// One whose data cannot be renamed stays whole, and is tried again; so do those behind it: a start that finds a hole would have lost what lies in it.
Status Log::Impl::RenameDetached(TimestampMs now) {
  Status result;
  bool stopped = false;
  std::erase_if(detached, [&](const std::shared_ptr<Segment>& segment) {
    if (stopped) return false;
    segment->LoseNames();
    for (const char* suffix : {kLogSuffix, kOffsetIndexSuffix, kTimeIndexSuffix, kTxnIndexSuffix, kSnapshotSuffix}) {
      const std::string path = segment->PathOf(suffix);
      if (suffix == kSnapshotSuffix) {
        std::erase(snapshots, segment->base());
        std::erase_if(pending_files, [&](const PendingFile& file) { return file.path == path; });
      }
      const Status renamed = env.fs->Rename(path, path + kDeletedSuffix);
      if (renamed.ok()) {
        doomed.push_back({path + kDeletedSuffix, SaturatingAdd(now.v, config.file_delete_delay_ms), suffix == kLogSuffix ? segment->size() : 0, segment});
      } else if (renamed.code() != Code::kNotFound) {
        // What nobody reads by name may go at once; left behind, it would be an index without a segment. So may data where the disk has no block for a
        // longer name: it is what would free one.
        if ((suffix != kLogSuffix || renamed.code() == Code::kNoSpace) && env.fs->Remove(path).ok()) continue;
        Report(Severity::kWarn, path + " cannot be renamed for deletion: " + renamed.ToString());
        if (result.ok()) result = renamed;
        stopped = suffix == kLogSuffix;
        if (stopped) return false;
      }
    }
    return true;
  });
  return result;
}

void Log::Impl::RemoveDoomed(TimestampMs now, bool here) {
  if (doomed.empty()) return;   // every log is asked every second
  Sweeper at_once(env);
  Sweeper& sweeper = here || env.sweeper == nullptr ? at_once : *env.sweeper;
  std::erase_if(doomed, [&](Doomed& file) {
    if (file.due_ms > now.v) return false;
    sweeper.Add(std::move(file.path), file.bytes, std::move(file.reader));
    return true;
  });
  at_once.Finish();
}

// How many of the first segments may go: each ends at or below the high watermark and `wanted` says yes; an empty active segment stays.
template <class Wanted>
size_t Log::Impl::CountDeletable(Wanted wanted) const {
  size_t count = 0;
  for (; count < segments->size(); ++count) {
    const bool last = count + 1 == segments->size();
    const Offset end = last ? next_offset : (*segments)[count + 1]->base();
    if (last && (active().size() == 0 || !staged.empty())) break;
    if (high_watermark < end || !wanted(*(*segments)[count], last, end)) break;
  }
  return count;
}

void Log::Housekeep(TimestampMs now) {
  Impl& log = *impl_;
  if (!log.offline.ok() || log.closed || log.replay != nullptr) return;
  log.RemoveDoomed(now, false);
  if (now.v >= log.next_expiry_ms && log.staged.empty()) {
    (void)log.producers.Expire(now, log.config.producer_id_expiration_ms);
    log.next_expiry_ms = SaturatingAdd(now.v, std::min(kExpiryCheckMs, log.config.producer_id_expiration_ms));
  }
  log.CloseIdleSegments(now, kIdleMs);
}

bool Log::RunRetention(TimestampMs now) {
  Impl& log = *impl_;
  if (!log.offline.ok() || log.closed || log.replay != nullptr) return false;
  Housekeep(now);
  if (log.cleaning) return false;
  bool moved = false;
  const auto remove = [&](size_t count) {
    if (count == 0) return;
    if (count == log.segments->size()) {
      const Status rolled = log.RollTo(log.next_offset, 0);
      if (!rolled.ok()) {
        if (rolled.code() != Code::kWouldBlock) log.Report(Severity::kWarn, log.dir + ": no new segment, so the last one is kept: " + rolled.ToString());
        if (--count == 0) return;
      }
    }
    const Offset start = (*log.segments)[count]->base();
    log.Detach(count, now);
    moved |= log.MoveLogStart(start);
  };
  // Kafka's order: what lies below the start, then by size, then by time.
  remove(log.CountDeletable([&](Segment&, bool last, Offset end) { return !last && end <= log.log_start; }));
  if (!log.config.cleanup_delete) return moved;
  if (log.config.retention_bytes >= 0) {
    int64_t excess = log.total_size - log.config.retention_bytes;
    remove(log.CountDeletable([&](Segment& segment, bool, Offset) {
      if (excess - segment.size() < 0) return false;
      excess -= segment.size();
      return true;
    }));
  }
  if (log.config.retention_ms >= 0) {
    remove(log.CountDeletable([&](Segment& segment, bool, Offset) {
      Result<TimestampAt> max = segment.MaxTimestamp(ReadMode::kBlocking);
      if (!max.ok()) return false;
      int64_t largest = max->timestamp.v;
      if (largest < 0) {
        // No record has a time: the file's own counts.
        Result<int64_t> modified = log.env.fs->ModifiedMs(segment.log_path());
        if (!modified.ok()) return false;
        largest = *modified;
      }
      return SaturatingSub(now.v, largest) > log.config.retention_ms;
    }));
  }
  return moved;
}

void Log::CloseIdle() { impl_->CloseIdleSegments(impl_->Now(), 0); }

void Log::Impl::CloseIdleSegments(TimestampMs now, int64_t idle_ms) {
  if (active().generation() != idle_generation) {
    idle_generation = active().generation();
    idle_since_ms = now.v;
  }
  CloseUnread(SaturatingSub(now.v, idle_since_ms) >= idle_ms);
}

// Descriptors that no answer under way, no look-up and no read ahead on the pool has a part in.
void Log::Impl::CloseUnread(bool with_active) {
  if (segments.use_count() > 1) return;  // a look-up on the pool may be about to open or read any of them
  // A count is only a number; adding to it is what orders us behind the thread that let go of it last.
  const std::shared_ptr<const SegmentList> list = segments;
  for (size_t i = 0; i < list->size(); ++i) {
    if ((*list)[i].use_count() > 1 || (*list)[i]->dirty()) continue;
    const std::shared_ptr<Segment> segment = (*list)[i];
    if (with_active || i + 1 < list->size()) segment->CloseIdle();
  }
}

Status Log::SetLogStart(Offset start) {
  Impl& log = *impl_;
  if (!log.offline.ok()) return log.offline;
  if (start > log.high_watermark) {
    return Status::Error(Code::kOffsetOutOfRange, "log start " + std::to_string(start.v) + " beyond the high watermark " + std::to_string(log.high_watermark.v));
  }
  if (!log.MoveLogStart(start) || log.cleaning) return Status::Ok();
  log.Detach(log.CountDeletable([&](Segment&, bool last, Offset end) { return !last && end <= log.log_start; }), log.Now());
  return Status::Ok();
}

Status Log::Delete() {
  Impl& log = *impl_;
  if (log.offline.ok()) TakeOffline(Status::Error(Code::kNotFound, log.name.ToString() + " was deleted"));
  // Kafka's name for it: at most 255 characters, so a long topic's name is cut.
  const std::string tail = "-" + std::to_string(log.name.partition) + "." + RandomHex32() + "-delete";
  const size_t slash = log.dir.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : log.dir.substr(0, slash);
  const std::string target = JoinPath(parent, log.name.topic.substr(0, 255 - tail.size()) + tail);
  for (const auto& segment : *log.segments) segment->LoseNames();
  SLUICE_TRY(log.env.fs->Rename(log.dir, target));
  if (log.env.sweeper != nullptr) log.env.sweeper->Forget(log.dir);
  log.dir = target;
  log.closed = true;
  return Status::Ok();
}

std::vector<std::weak_ptr<const void>> Log::Readers() const {
  std::vector<std::weak_ptr<const void>> readers(impl_->segments->begin(), impl_->segments->end());
  readers.insert(readers.end(), impl_->detached.begin(), impl_->detached.end());
  for (const Impl::Doomed& file : impl_->doomed) readers.push_back(file.reader);
  return readers;
}

}  // namespace sluice::log
