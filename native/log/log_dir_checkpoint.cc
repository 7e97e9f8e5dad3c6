// Checkpoints: sync what was written, write down what is proven, free the journal behind it.
#include <algorithm>

#include "base/assert.h"
#include "log/log_dir_impl.h"

namespace sluice::log {
namespace {

constexpr int64_t kIdleCheckpointUs = 60 * 1000000ll;  // bounds what a crash in mode os must scan
constexpr size_t kSyncOneByOne = 64;                    // with more segments due, one syncfs is cheaper
constexpr int64_t kMaxPart = 4;                         // begin at a quarter of the journal

}  // namespace

struct LogDir::Impl::CheckpointRun {
  JournalMark mark;
  Checkpoint content;
  std::vector<std::pair<LogSlot*, Log::SyncSet>> sets;
  std::vector<std::function<void(Status)>> done;
  Status result;
};

bool LogDir::Impl::JournalCrowded() const {
  return ready && status.ok() && journal && !on_closed && journal->used_bytes() >= journal->max_bytes() / kMaxPart;
}

bool LogDir::Impl::IdleCheckpointDue() {
  if (!ready || !status.ok() || on_closed || env.clock->MonotonicUs() - last_checkpoint_us < kIdleCheckpointUs) return false;
  last_checkpoint_us = env.clock->MonotonicUs();
  for (const auto& [id, slot] : slots) {
    if (slot->log->dirty()) return true;
  }
  return false;
}

void LogDir::Impl::StartCheckpoint(std::function<void(Status)> done) {
  if (running_checkpoint) {
    if (done) next_checkpoint.push_back(std::move(done));
    return;
  }
  last_checkpoint_us = env.clock->MonotonicUs();
  auto run = std::make_shared<CheckpointRun>();
  if (done) run->done.push_back(std::move(done));
  journal->Seal();
  env.writer->Flush();
  run->mark = journal->Cut();
  run->content.mark = run->mark;
  for (auto& [id, slot] : slots) {
    // A log that is offline is no exception: what it had written can be proven, or the directory has a broken disk.
    Log& log = *slot->log;
    SLUICE_ASSERT(!log.has_staged());
    if (log.dirty()) {
      Result<Log::SyncSet> set = log.PrepareSync();
      if (!set.ok()) {
        run->result = set.status();
        FinishCheckpoint(run);
        return;
      }
      run->sets.emplace_back(slot.get(), set.take());
    }
    Checkpoint::Partition partition;
    partition.topic = log.name().topic;
    log.EncodeProven(&partition.proven);
    run->content.partitions.emplace(id, std::move(partition));
  }
  for (const auto& [id, partition] : quarantined) run->content.partitions.emplace(id, partition);
  running_checkpoint = run;
  std::shared_ptr<bool> still = alive;
  io::FileSystem* fs = env.fs;
  std::string path = options.path, journal_dir = JournalDir();
  env.pool->Submit(io::MakeJob(
      [run, fs, path, journal_dir] {
        size_t segments = 0;
        for (const auto& [slot, set] : run->sets) segments += set.segments.size();
        if (segments > kSyncOneByOne) {
          // syncfs reports write-back errors of this file system since the descriptor was opened, so the sets are still asked one by one; clean files answer at once.
          run->result = fs->SyncAll(path);
          if (!run->result.ok()) return;
        }
        for (const auto& [slot, set] : run->sets) {
          run->result = set.Run(*fs);
          if (!run->result.ok()) return;
        }
        run->result = WriteCheckpoint(*fs, journal_dir, EncodeCheckpoint(run->content));
      },
      [this, still, run] {
        if (*still) FinishCheckpoint(run);
      }));
}

void LogDir::Impl::FinishCheckpoint(const std::shared_ptr<CheckpointRun>& run) {
  running_checkpoint.reset();
  if (run->result.ok()) {
    ++checkpoints;
    for (auto& [slot, set] : run->sets) {
      if (!slot->deleted) slot->log->SyncDone(set);
    }
    journal->Free(run->mark);
  } else if (run->result.code() == Code::kNoSpace) {
    env.reporter->Report(Severity::kWarn, "checkpoint waits: " + run->result.ToString());
  } else {
    TakeOffline(run->result);
  }
  for (auto& done : run->done) done(run->result);
  if (!next_checkpoint.empty() && status.ok()) {
    std::vector<std::function<void(Status)>> waiting = std::move(next_checkpoint);
    next_checkpoint.clear();
    StartCheckpoint([waiting = std::move(waiting)](Status result) {
      for (const auto& done : waiting) done(result);
    });
  }
  ReleaseDeleted();
  NoticeRoom();
  if (on_closed) TryClose();
}

}  // namespace sluice::log
