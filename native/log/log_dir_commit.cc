// The tick of a log directory: staged batches to segments, one journal write for all, watermarks forward.
#include <algorithm>

#include "base/assert.h"
#include "log/log_dir_impl.h"

namespace sluice::log {
namespace {

constexpr int64_t kMaxBacklog = 32 << 20;          // frames waiting for the disk; beyond it producers wait
constexpr int64_t kRetentionEveryUs = 1000000;     // each log has its own idea of what is due; looking is cheap

}  // namespace

LogSlot* LogDir::Impl::SlotOf(Log* log) {
  auto it = by_log.find(log);
  return it == by_log.end() ? nullptr : it->second;
}

void LogDir::Impl::AddControlEntry(EntryKind kind, LogSlot& slot, Offset value, void* owner) {
  if (!journal) return;
  Entry entry;
  entry.kind = kind;
  entry.id = slot.id;
  entry.base = value;
  entry.end = value;
  entry.epoch = slot.log->leader_epoch();
  journal->Add(entry, owner);
  journal->Seal();
  env.writer->Flush();
}

void LogDir::Impl::CommitLog(LogSlot& slot) {
  slot.staged = false;
  if (slot.deleted || !slot.log->has_staged()) return;
  Log& log = *slot.log;
  const bool fsync = log.config().durability == Durability::kFsync;
  bool sync_segment = false;
  Status written = log.WriteStaged([&](const BatchEntry& batch) {
    if (slot.syncing || static_cast<int64_t>(batch.batch.size()) > kJournalMaxBatch) {
      slot.sync_target = std::max(slot.sync_target, batch.end);
      sync_segment = true;
      return;
    }
    if (sync_segment) {  // behind a large batch of the same tick: the journal must not run ahead of the segment
      slot.sync_target = batch.end;
      return;
    }
    Entry entry;
    entry.id = batch.id;
    entry.base = batch.base;
    entry.end = batch.end;
    entry.epoch = batch.epoch;
    entry.segment_base = batch.segment_base;
    entry.position = batch.position;
    entry.payload = batch.batch;
    journal->Add(entry, &slot);
  });
  if (!written.ok()) {
    if (written.code() != Code::kNoSpace) env.reporter->Report(Severity::kError, log.name().ToString() + ": " + written.ToString());
    return;
  }
  if (!fsync) {
    log.AdvanceHighWatermark(log.written_end());
    return;
  }
  if (sync_segment && !slot.syncing) {
    slot.syncing = true;
    StartSegmentSync(&slot);
  }
}

void LogDir::Impl::Commit() {
  if (staged.empty() && (!journal || journal->idle())) return;
  // Waiters that run now may stage again: that is the next tick's.
  committing.swap(staged);
  for (LogSlot* slot : committing) CommitLog(*slot);
  committing.clear();
  if (!journal) return;
  journal->Seal();
  env.writer->Flush();
  if (!running_checkpoint && JournalCrowded()) StartCheckpoint(nullptr);
  NoticeRoom();
}

void LogDir::Impl::StartSegmentSync(LogSlot* slot) {
  SLUICE_ASSERT(slot->syncing);
  Result<Log::SyncSet> set = slot->log->PrepareSync();
  if (!set.ok()) {
    TakeOffline(set.status());
    return;
  }
  ++segment_syncs;
  auto shared = std::make_shared<Log::SyncSet>(set.take());
  auto result = std::make_shared<Status>();
  std::shared_ptr<bool> still = alive;
  io::FileSystem* fs = env.fs;
  env.pool->Submit(io::MakeJob(
      [shared, result, fs] { *result = shared->Run(*fs); },
      [this, still, slot, shared, result] {
        if (!*still) return;
        --segment_syncs;
        if (!result->ok()) {
          TakeOffline(*result);
          return;
        }
        if (slot->deleted) {
          slot->syncing = false;
          return;
        }
        slot->log->SyncDone(*shared);
        const bool more = slot->sync_target > shared->end;
        if (!more) slot->syncing = false;
        AddControlEntry(EntryKind::kSynced, *slot, shared->end, slot);
        if (more) {
          StartSegmentSync(slot);
          return;
        }
        for (auto& done : slot->on_synced) journal->WhenDurable([done = std::move(done)] { done(Status::Ok()); });
        slot->on_synced.clear();
        if (on_closed) TryClose();
      }));
}

namespace {
class DurableWaiter final : public OffsetWaiter {
 public:
  explicit DurableWaiter(std::function<void(Status)> done) : done_(std::move(done)) {}
  void OnReached() override { Finish(Status::Ok()); }
  void OnFailed(const Status& why) override { Finish(why); }

 private:
  void Finish(const Status& status) {
    done_(status);
    delete this;
  }
  std::function<void(Status)> done_;
};
}  // namespace

void LogDir::Impl::WhenDurable(Log* log, Offset end, std::function<void(Status)> done) {
  LogSlot* slot = SlotOf(log);
  if (slot == nullptr) {
    done(Status::Error(Code::kNotFound, "no such partition"));
    return;
  }
  if (end > log->next_offset()) {
    done(Status::Error(Code::kOffsetOutOfRange, "offset " + std::to_string(end.v) + " is beyond the end " + std::to_string(log->next_offset().v)));
    return;
  }
  if (log->config().durability == Durability::kFsync) {
    auto* waiter = new DurableWaiter(std::move(done));
    waiter->target = end;
    log->Await(waiter);
    return;
  }
  Commit();
  if (end <= log->recovery_point()) {
    done(Status::Ok());
    return;
  }
  // A checkpoint syncs every log at once, so many of these together cost one.
  StartCheckpoint(std::move(done));
}

bool LogDir::Impl::HasRoom() const { return status.ok() && (!journal || journal->backlog_bytes() < kMaxBacklog); }

void LogDir::Impl::NoticeRoom() {
  bool room = HasRoom();
  if (room && !had_room && on_room) {
    had_room = true;
    on_room();
    return;
  }
  had_room = room;
}

void LogDir::Impl::TakeOffline(const Status& why) {
  if (!status.ok()) return;
  status = Status::Error(Code::kOffline, "log directory " + options.path + " is offline: " + why.ToString());
  env.reporter->Report(Severity::kError, status.what() + "; nothing more is acknowledged, restart when the disk is well");
  for (auto& [id, slot] : slots) slot->log->TakeOffline(status);
  if (on_closed) TryClose();
}

void LogDir::Impl::ReleaseDeleted() {
  if (deleted.empty() || running_checkpoint || segment_syncs > 0 || !committing.empty()) return;
  if (journal && !journal->failed() && !journal->idle()) return;
  deleted.clear();
}

void LogDir::Impl::OnTimer() {
  if (!ready || !status.ok() || on_closed) return;
  const int64_t now_us = env.clock->MonotonicUs();
  if (now_us - last_retention_us >= kRetentionEveryUs) {
    last_retention_us = now_us;
    const TimestampMs now(env.clock->WallMs());
    for (auto& [id, slot] : slots) {
      if (slot->log->offline().ok() && slot->log->RunRetention(now)) {
        AddControlEntry(EntryKind::kLogStart, *slot, slot->log->log_start(), nullptr);
      }
    }
  }
  if (!running_checkpoint && (JournalCrowded() || IdleCheckpointDue())) StartCheckpoint(nullptr);
  ReleaseDeleted();
  NoticeRoom();
}

}  // namespace sluice::log
