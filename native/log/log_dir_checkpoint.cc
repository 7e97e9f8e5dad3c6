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

struct LogDir::Impl::CheckpointRun {
  JournalMark mark;
  Checkpoint content;
  std::vector<std::pair<LogSlot*, Log::SyncSet>> sets;
  std::vector<std::pair<TopicIdPartition, Offset>> bases;   // of the segments that were active
  std::vector<std::function<void(Status)>> done;
  int64_t appended_bytes = 0;
  Status result;
};

bool LogDir::Impl::CheckpointDue() const {
  if (!ready || !status.ok() || !journal || on_closed || env.clock->MonotonicUs() < checkpoint_again_us) return false;
  if (dirty_bytes() >= dirty_budget || out_of_files) return true;
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
  for (auto& [id, slot] : slots) {
    // A log that is offline is no exception: what it had written can be proven, or the directory has a broken disk.
    Log& log = *slot->log;
    SLUICE_ASSERT(!log.has_staged());
    if (log.dirty()) {
      Result<Log::SyncSet> set = WithSpace([&log] { return log.PrepareSync(); });
      if (!set.ok()) {
        run->result = set.status();
        break;
      }
      ++slot->users;
      run->sets.emplace_back(slot.get(), set.take());
    }
    Checkpoint::Partition partition;
    partition.topic = log.name().topic;
    const LogConfig config = log.config();
    if (slot->softening) {  // the entry that says so may lie before the mark
      LogConfig soft = config;
      soft.durability = Durability::kOs;
      log.SetConfig(soft);
    }
    log.EncodeProven(&partition.proven);
    if (slot->softening) log.SetConfig(config);
    run->content.partitions.emplace(id, std::move(partition));
    run->bases.emplace_back(id, log.active_base());
  }
  for (const auto& [id, partition] : aside) run->content.partitions.emplace(id, partition);
  env.pool->Submit(io::MakeJob(
      [run, fs = env.fs, path = options.path, journal_dir = JournalDir()] {
        if (!run->result.ok()) return;
        std::vector<const Log::SyncSet*> sets;
        for (const auto& [slot, set] : run->sets) sets.push_back(&set);
        run->result = Log::SyncTogether(*fs, path, sets);
        if (!run->result.ok()) return;
        run->result = WriteCheckpoint(*fs, journal_dir, EncodeCheckpoint(run->content));
      },
      [this, run] { FinishCheckpoint(run); }));
}

void LogDir::Impl::FinishCheckpoint(const std::shared_ptr<CheckpointRun>& run) {
  running_checkpoint.reset();
  if (run->result.ok()) {
    ++checkpoints;
    clean_bytes = run->appended_bytes;
    checkpoint_refused = false;
    out_of_files = false;
    for (auto& [slot, set] : run->sets) {
      if (!slot->deleted) slot->log->SyncDone(set);
    }
    for (const auto& [id, base] : run->bases) {
      if (auto slot = slots.find(id); slot != slots.end()) slot->second->proven_base = base;
    }
    journal->Free(run->mark);
    RetireOldJournal();
  } else if (IsLack(run->result.code())) {
    NoteLack(run->result);
    checkpoint_again_us = run->result.code() == Code::kNoSpace && MakeSpace() ? 0 : env.clock->MonotonicUs() + kAgainUs;
    if (!std::exchange(checkpoint_refused, true)) env.reporter->Report(Severity::kWarn, "checkpoint waits: " + run->result.ToString());
  } else {
    TakeOffline(run->result);
  }
  for (auto& [slot, set] : run->sets) Unuse(slot);
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
