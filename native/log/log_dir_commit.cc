// The tick of a log directory: staged batches to segments, one journal write for all, watermarks forward.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "log/cleaner.h"
#include "log/log_dir_impl.h"
#include "log/scrubber.h"

namespace sluice::log {
namespace {

constexpr int64_t kMaxBacklog = 32 << 20;          // frames waiting for the disk; beyond it producers wait
constexpr int64_t kOneMoreBatch = 1 << 20;         // producers wait before a batch of the usual largest size finds no room
constexpr int64_t kDutiesEveryUs = 1000000;        // each log has its own idea of what is due; looking is cheap

const Status kFullDisk = Status::Error(Code::kNoSpace, "the disk is full");

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
  slot.journaled = journal->last_sequence();
}

// Behind a batch that is synced in its segment the journal must not run ahead of the segment, so what follows takes the same way.
void LogDir::Impl::TellJournal(LogSlot& slot, const BatchEntry& batch) {
  const int64_t size = static_cast<int64_t>(batch.batch.size() + kEntryHeaderBytes);
  const bool fits = slot.internal || size <= client_room;
  if (slot.syncing || static_cast<int64_t>(batch.batch.size()) >= options.beside_journal_bytes || !fits) {
    slot.syncing = true;
    beside_journal_bytes += static_cast<int64_t>(batch.batch.size());
    slot.sync_target = std::max(slot.sync_target, batch.end);
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
  client_room -= size;
  journal->Add(entry, &slot);
  slot.journaled = journal->last_sequence();
}

// Writes what is staged to the segments and hands it to the journal. Nobody is told of success in here; who waits for what cannot be written is told.
void LogDir::Impl::WriteLog(LogSlot& slot) {
  slot.staged = false;
  if (slot.deleted || !slot.log->has_staged()) return;
  Log& log = *slot.log;
  if (disk_full && !slot.internal) {
    log.RefuseStaged(kFullDisk);
    return;
  }
  if (Slow(slot)) {
    KeepAndWrite(&slot);
    return;
  }
  const int64_t before = log.size_bytes();
  const std::function<bool()> make_space = [this, &slot] { return slot.internal && MakeSpace(); };
  Status written = log.WriteStaged(make_space, [&](const BatchEntry& batch) { TellJournal(slot, batch); });
  appended_bytes += log.size_bytes() - before;
  if (written.code() == Code::kWouldBlock) {
    KeepAndWrite(&slot);
    return;
  }
  // A part may have been written before the disk was full: it goes on like any other.
  NoteLack(written);
  if (!written.ok() && !IsLack(written.code())) env.reporter->Report(Severity::kError, log.name().ToString() + ": " + written.ToString());
}

// What is written counts in mode os; in mode fsync the journal tells, or a sync.
void LogDir::Impl::AfterWrite(LogSlot* slot) {
  if (slot->deleted) return;
  if (slot->log->config().durability == Durability::kOs) {
    slot->log->AdvanceHighWatermark(slot->log->written_end());
  } else if (slot->syncing && !slot->sync_running && !slot->sync_waits && slot->log->offline().ok()) {
    StartSegmentSync(slot);
  }
}

void LogDir::Impl::Commit() {
  if (writing) return;  // called by a waiter of what could not be written: the Commit under way is followed by another
  if (staged.empty() && next_checkpoint.empty() && had_room && (!journal || journal->idle())) return;
  ++commit_depth;
  // Waiters that run now may stage again: that is the next tick's.
  std::vector<LogSlot*> committing = std::move(spare_list);
  committing.clear();
  committing.swap(staged);
  if (!committing.empty()) {
    const int64_t begin_us = env.clock->MonotonicUs();
    LookWhetherSlow(begin_us);
    writing = true;
    client_room = journal ? ClientRoom() : 0;
    const int64_t before = appended_bytes;
    for (LogSlot* slot : committing) WriteLog(*slot);
    writing = false;
    NoteWrite(appended_bytes - before, env.clock->MonotonicUs() - begin_us);
  }
  if (journal) {
    journal->Seal();
    env.writer->Flush();
    // The one moment at which nothing is staged, whatever the waiters do.
    if (staged.empty()) {
      if (taking_logs) TakeLogs();
      else if (!next_checkpoint.empty() && !running_checkpoint && status.ok()) BeginCheckpoint();
    }
  }
  for (LogSlot* slot : committing) AfterWrite(slot);
  spare_list = std::move(committing);
  --commit_depth;
  if (!running_checkpoint && next_checkpoint.empty() && CheckpointDue()) StartCheckpoint(nullptr);
  NoticeRoom();
}

void LogDir::Impl::StartSegmentSync(LogSlot* slot) {
  SLUICE_ASSERT(slot->syncing && !slot->sync_running);
  slot->sync_waits = false;
  Result<Log::DataSync> sync = slot->log->PrepareDataSync();
  if (!sync.ok()) {
    if (!IsLack(sync.code())) {
      TakeOffline(sync.status());
      return;
    }
    NoteLack(sync.status());
    slot->sync_waits = true;
    return;
  }
  ++segment_syncs;
  ++slot->users;
  slot->sync_running = true;
  auto shared = std::make_shared<Log::DataSync>(sync.take());
  auto result = std::make_shared<Status>();
  env.pool->Submit(io::MakeJob([shared, result, fs = env.fs] { *result = shared->Run(*fs); },
                               [this, slot, shared, result] { FinishSegmentSync(slot, *shared, *result); }));
}

void LogDir::Impl::FinishSegmentSync(LogSlot* slot, const Log::DataSync& sync, const Status& result) {
  --segment_syncs;
  slot->sync_running = false;
  if (slot->deleted) {
    slot->syncing = false;
  } else if (IsLack(result.code()) && status.ok()) {
    NoteLack(result);
    slot->sync_waits = true;  // the timer tries again
  } else if (!result.ok()) {
    TakeOffline(result);
  } else if (status.ok()) {
    slot->log->DataSynced(sync);
    // The entry means mode fsync from here on: recovery believes in nothing behind it that is not journaled, so what mode os has answered must lie before
    // it. Where the way to os is under way, the same frame says that again.
    if (slot->log->config().durability == Durability::kFsync && sync.end >= slot->soft_end) {
      journal->Seal();
      AddControlEntry(EntryKind::kSynced, *slot, sync.end, slot);
      if (slot->softening) AddControlEntry(EntryKind::kMode, *slot, Offset(static_cast<int64_t>(Durability::kOs)), nullptr);
    }
    if (slot->sync_target > sync.end) {
      StartSegmentSync(slot);
    } else {
      slot->syncing = false;
      std::vector<std::function<void(Status)>> told = std::move(slot->on_synced);
      slot->on_synced.clear();
      for (auto& done : told) journal->WhenDurable(std::move(done));
    }
    journal->Seal();
    env.writer->Flush();
  }
  Unuse(slot);
  ReleaseDeleted();
  if (on_closed) TryClose();
}

// Waits in mode fsync, where what is visible is durable. Where the mode has become os meanwhile, the rest of the way is that of mode os.
class LogDir::Impl::DurableWaiter final : public OffsetWaiter {
 public:
  DurableWaiter(Impl* dir, Log* log, Offset end, std::function<void(Status)> done) : dir_(dir), log_(log), done_(std::move(done)) { target = end; }
  void OnReached() override {
    if (log_->config().durability == Durability::kFsync) {
      done_(Status::Ok());
    } else {
      dir_->WhenDurable(log_, target, std::move(done_));
    }
    delete this;
  }
  void OnFailed(const Status& why) override {
    done_(why);
    delete this;
  }

 private:
  Impl* const dir_;
  Log* const log_;
  std::function<void(Status)> done_;
};

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
  if (!status.ok()) {
    done(status);
    return;
  }
  if (log->config().durability == Durability::kFsync && end <= slot->soft_end) {
    slot->on_synced.push_back(std::move(done));  // answered by the page cache before the mode changed, and about to be synced
    return;
  }
  if (log->config().durability == Durability::kFsync) {
    log->Await(new DurableWaiter(this, log, end, std::move(done)));
    return;
  }
  Commit();
  if (SlotOf(log) != nullptr && end > log->written_end() && end <= log->next_offset()) {  // the appender has it
    log->Await(new DurableWaiter(this, log, end, std::move(done)));
    return;
  }
  if (SlotOf(log) == nullptr || end > log->written_end()) {  // gone meanwhile, or taken back
    done(SlotOf(log) == nullptr ? Status::Error(Code::kNotFound, "no such partition") : kFullDisk);
    return;
  }
  if (end <= log->recovery_point()) {
    done(Status::Ok());
    return;
  }
  // A checkpoint syncs every log at once, so many of these together cost one.
  StartCheckpoint(std::move(done));
}

// What was asked for before the room was used up is not refused: it is synced in its segment instead.
int64_t LogDir::Impl::ClientRoom() const { return journal->room_bytes() - journal->reserved_bytes(); }

bool LogDir::Impl::JournalFull() const { return ClientRoom() <= kOneMoreBatch; }

bool LogDir::Impl::HasRoom() const { return status.ok() && (!journal || (journal->backlog_bytes() + kept_bytes < kMaxBacklog && !JournalFull())); }

void LogDir::Impl::NoticeRoom() {
  const bool had = std::exchange(had_room, HasRoom());
  if (had_room && !had && on_room) on_room();
}

void LogDir::Impl::TakeOffline(const Status& why) {
  if (!status.ok()) return;
  status = Status::Error(Code::kOffline, "log directory " + options.path + " is offline: " + why.ToString());
  env.reporter->Report(Severity::kError, status.what() + "; nothing more is acknowledged, restart when the disk is well");
  // Whoever is told may delete and append; slots that are deleted stay until nothing of this runs.
  ++commit_depth;
  std::vector<LogSlot*> all;
  for (auto& [id, slot] : slots) all.push_back(slot.get());
  std::vector<std::function<void(Status)>> told = std::move(next_checkpoint);
  next_checkpoint.clear();
  for (LogSlot* slot : all) {
    slot->log->TakeOffline(status);
    for (auto* list : {&slot->on_synced, &slot->on_mode}) {
      for (auto& done : *list) told.push_back(std::move(done));
      list->clear();
    }
  }
  for (auto& done : told) done(status);
  --commit_depth;
  if (on_closed) TryClose();
}

void LogDir::Impl::AddUnsynced(const Log& log, Doubts* doubts) {
  if (std::string stems = log.DirtyStems(); !stems.empty()) doubts->emplace_back(log.dir(), std::move(stems));
}

Doubts LogDir::Impl::Unsynced() const {
  Doubts doubts;
  for (const auto& [id, slot] : slots) AddUnsynced(*slot->log, &doubts);
  if (alignment == 0) doubts.emplace_back(JournalDir(), kEveryStem);   // frames that were written and not synced
  return doubts;
}

void LogDir::Impl::Doubt(Doubts doubts) {
  // A log that is being opened is not among them, and has read and written already.
  env.pool->Submit(io::MakeJob([doubts = std::move(doubts), all = openings == 0, fs = env.fs, path = options.path] { NoteDoubts(*fs, path, doubts, all); }, [] {}));
}

void LogDir::Impl::RunDuties() {
  const TimestampMs now(env.clock->WallMs());
  const int64_t now_us = env.clock->MonotonicUs();
  if (next_retention_us < 0) next_retention_us = now_us + options.retention_delay_ms * 1000;
  const bool retention_due = now_us >= next_retention_us;
  if (retention_due) next_retention_us = now_us + options.retention_check_ms * 1000;
  bool frees_space = false;
  for (auto& [id, slot] : slots) {
    if (slot->sync_waits) StartSegmentSync(slot.get());
    if (!status.ok()) return;
    if (!slot->log->offline().ok()) continue;
    if (!retention_due) {
      slot->log->Housekeep(now);
    } else if (slot->log->RunRetention(now)) {
      AddControlEntry(EntryKind::kLogStart, *slot, slot->log->log_start(), nullptr);
    }
    if (!slot->log->has_detached()) continue;
    frees_space = true;
    if (disk_full) FreeDetached(slot.get());
  }
  if (journal) {
    journal->Seal();
    env.writer->Flush();
  }
  RemoveFolders();
  CheckSpace();
  if (disk_full && frees_space && !running_checkpoint && env.clock->MonotonicUs() >= checkpoint_again_us) StartCheckpoint(nullptr);
}

void LogDir::Impl::OnTimer() {
  const int64_t now_us = env.clock->MonotonicUs();
  LookWhetherSlow(now_us);
  if (taking_logs && !status.ok()) TakeLogs();   // there may be no Commit any more
  if (on_closed) TryClose();
  if (!ready || !status.ok() || on_closed) return;
  if (now_us - last_duties_us >= kDutiesEveryUs) {
    last_duties_us = now_us;
    RunDuties();
    if (!status.ok()) return;
  }
  if (!running_checkpoint && next_checkpoint.empty() && (CheckpointDue() || IdleCheckpointDue())) StartCheckpoint(nullptr);
  cleaner->OnTimer();
  scrubber->OnTimer();
  sweeper.OnTimer(disk_full);
  ReleaseDeleted();
  NoticeRoom();
}

}  // namespace sluice::log
