// Checkpoints: sync what was written, write down what is proven, free the journal behind it.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "log/log_dir_impl.h"

namespace sluice::log {
namespace {

constexpr int64_t kIdleCheckpointUs = 60 * 1000000ll;  // bounds what a crash in mode os must scan
constexpr int64_t kMaxPart = 4;                         // begin at a quarter of the journal
constexpr int64_t kAgainUs = 1000000;                   // a full disk is not asked at every tick

}  // namespace

struct LogDir::Impl::TakenLog {
  TopicIdPartition id;
  Offset active_base;
  LogSlot* slot = nullptr;   // where there is something to sync; counted in its users
  Log::SyncSet set;
};

struct LogDir::Impl::CheckpointRun {
  JournalMark mark;
  Checkpoint content;
  std::vector<TakenLog> logs;
  size_t taken = 0;            // of them, from the front
  size_t settled = 0;          // ... when the sync is over
  std::vector<std::function<void(Status)>> done;
  int64_t appended_bytes = 0;
  int64_t beside_journal_bytes = 0;
  Status result;
};

bool LogDir::Impl::CheckpointDue() const {
  if (!ready || !status.ok() || !journal || on_closed || env.clock->MonotonicUs() < checkpoint_again_us) return false;
  if (dirty_bytes() >= dirty_budget || out_of_files || beside_journal_bytes >= journal->limit_bytes()) return true;
  return !old_journal.empty() || journal->used_bytes() >= journal->limit_bytes() / kMaxPart || (JournalFull() && journal->used_bytes() > 0) ||
         journal->starved();
}

bool LogDir::Impl::IdleCheckpointDue() {
  if (env.clock->MonotonicUs() - last_checkpoint_us < kIdleCheckpointUs) return false;
  last_checkpoint_us = env.clock->MonotonicUs();
  for (const auto& [id, slot] : slots) {
    if (slot->log->dirty()) return true;
  }
  return false;
}

void LogDir::Impl::StartCheckpoint(std::function<void(Status)> done) {
  if (!status.ok()) {  // never again on these pages: the kernel may have dropped what could not be written, and call them clean
    if (done) done(status);
    return;
  }
  SLUICE_ASSERT(journal);
  next_checkpoint.push_back(done ? std::move(done) : [](Status) {});
  if (running_checkpoint || writing) return;
  if (staged.empty()) {
    BeginCheckpoint();
  } else if (commit_depth == 0) {
    Commit();
  }
}

// The journal is freed up to here, so each log is taken as it is now or later: what the journal says of it beyond the mark is in what was taken already, or
// comes on top. So thousands of logs need not be taken in one go.
void LogDir::Impl::BeginCheckpoint() {
  SLUICE_ASSERT(!running_checkpoint && staged.empty() && !writing);
  last_checkpoint_us = env.clock->MonotonicUs();
  auto run = std::make_shared<CheckpointRun>();
  run->done.swap(next_checkpoint);
  running_checkpoint = run;
  journal->Seal();
  env.writer->Flush();
  run->mark = journal->Cut();
  run->content.mark = run->mark;
  run->appended_bytes = appended_bytes;
  run->beside_journal_bytes = beside_journal_bytes;
  run->logs.resize(slots.size());
  size_t i = 0;
  for (const auto& [id, slot] : slots) run->logs[i++].id = id;
  taking_logs = true;
  TakeLogs();
}

// Where nothing is staged, or the directory is offline and no log is looked at any more. Called again by whoever comes first, the next Commit or the pool.
void LogDir::Impl::TakeLogs() {
  SLUICE_ASSERT(taking_logs && (!status.ok() || (staged.empty() && !writing)));
  const std::shared_ptr<CheckpointRun> run = running_checkpoint;
  const size_t end = std::min(run->logs.size(), run->taken + options.logs_at_once);
  for (; run->taken < end && run->result.ok() && status.ok(); ++run->taken) run->result = TakeLog(*run, run->logs[run->taken]);
  if (run->result.ok()) run->result = status;
  if (run->result.ok() && run->taken < run->logs.size()) {
    io::CallLater(*env.pool, [this, run, taken = run->taken] {
      if (running_checkpoint == run && run->taken == taken && taking_logs && staged.empty() && !writing) TakeLogs();
    });
    return;
  }
  taking_logs = false;
  for (const auto& [id, partition] : aside) run->content.partitions.emplace(id, partition);
  env.pool->Submit(io::MakeJob(
      [run, fs = env.fs, whole = &whole_sync, one_by_one = options.syncs_one_by_one, journal_dir = JournalDir()] {
        if (!run->result.ok()) return;
        std::vector<const Log::SyncSet*> sets;
        for (const TakenLog& log : run->logs) {
          if (log.slot != nullptr) sets.push_back(&log.set);
        }
        run->result = Log::SyncTogether(*fs, *whole, sets, one_by_one);
        if (!run->result.ok()) return;
        run->result = WriteCheckpoint(*fs, journal_dir, EncodeCheckpoint(run->content));
        run->content = Checkpoint();
      },
      [this, run] { FinishCheckpoint(run); }));
}

Status LogDir::Impl::TakeLog(CheckpointRun& run, TakenLog& taken) {
  const auto found = slots.find(taken.id);
  if (found == slots.end()) return Status::Ok();   // deleted meanwhile: to recovery it is as if it had been before
  LogSlot& slot = *found->second;
  // A log that is offline is no exception: what it had written can be proven, or the directory has a broken disk.
  Log& log = *slot.log;
  SLUICE_ASSERT(!log.has_staged());
  if (log.dirty()) {
    Result<Log::SyncSet> set = WithSpace([&log] { return log.PrepareSync(); });
    if (!set.ok()) return set.status();
    ++slot.users;
    taken.slot = &slot;
    taken.set = set.take();
  }
  Checkpoint::Partition partition;
  partition.topic = log.name().topic;
  const LogConfig config = log.config();
  if (slot.softening) {  // the entry that says so may lie before the mark
    LogConfig soft = config;
    soft.durability = Durability::kOs;
    log.SetConfig(soft);
  }
  log.EncodeProven(&partition.proven);
  if (slot.softening) log.SetConfig(config);
  run.content.partitions.emplace(taken.id, std::move(partition));
  taken.active_base = log.active_base();
  return Status::Ok();
}

// Tells the logs what has become of it, a few at a time, and then everybody else.
void LogDir::Impl::FinishCheckpoint(const std::shared_ptr<CheckpointRun>& run) {
  const size_t end = std::min(run->taken, run->settled + options.logs_at_once);
  for (; run->settled < end; ++run->settled) {
    TakenLog& taken = run->logs[run->settled];
    const Log::SyncSet set = std::move(taken.set);
    if (run->result.ok()) {
      if (taken.slot != nullptr && !taken.slot->deleted) taken.slot->log->SyncDone(set);
      if (auto slot = slots.find(taken.id); slot != slots.end()) slot->second->proven_base = taken.active_base;
    }
    if (taken.slot != nullptr) Unuse(taken.slot);
  }
  if (run->settled < run->taken) {
    io::CallLater(*env.pool, [this, run] { FinishCheckpoint(run); });
    return;
  }
  running_checkpoint.reset();
  if (run->result.ok()) {
    ++checkpoints;
    clean_bytes = run->appended_bytes;
    beside_journal_bytes -= run->beside_journal_bytes;
    checkpoint_refused = false;
    out_of_files = false;
    journal->Free(run->mark);
    RetireOldJournal();
  } else if (IsLack(run->result.code())) {
    NoteLack(run->result);
    checkpoint_again_us = run->result.code() == Code::kNoSpace && MakeSpace() ? 0 : env.clock->MonotonicUs() + kAgainUs;
    if (!std::exchange(checkpoint_refused, true)) env.reporter->Report(Severity::kWarn, "checkpoint waits: " + run->result.ToString());
  } else {
    if (run->result.code() == Code::kIo) Doubt(Unsynced());
    TakeOffline(run->result);
  }
  for (auto& done : run->done) done(run->result);
  if (!next_checkpoint.empty() && !running_checkpoint && status.ok()) {
    if (staged.empty()) {
      BeginCheckpoint();
    } else {
      Commit();
    }
  }
  ReleaseDeleted();
  NoticeRoom();
  if (on_closed) TryClose();
}

}  // namespace sluice::log
