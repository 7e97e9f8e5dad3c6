// A clean stop: nothing in flight, everything synced, Kafka's own files written, the journal gone, the mark last.
#include "log/log_dir_impl.h"

namespace sluice::log {

void LogDir::Impl::CloseClean(std::function<void(Status)> done) {
  Commit();
  on_closed = std::move(done);
  TryClose();
}

void LogDir::Impl::TryClose() {
  if (running_checkpoint || segment_syncs > 0) return;  // their ends call again
  if (journal && !journal->failed() && !journal->idle()) {
    std::shared_ptr<bool> still = alive;
    journal->WhenDurable([this, still] {
      if (*still) TryClose();
    });
    return;
  }
  std::function<void(Status)> done = std::move(on_closed);
  on_closed = nullptr;
  ready = false;
  Status result = status.ok() ? CloseLogs() : status;
  done(result);
}

Status LogDir::Impl::CloseLogs() {
  if (!journal) return Status::Ok();  // never became ready: the files are as they were found
  OffsetsByPartition ends, starts, watermarks;
  bool all_well = true;
  // One syncfs does the heavy work together; each log's own syncs then find little left.
  SLUICE_TRY(env.fs->SyncAll(options.path));
  for (auto& [id, slot] : slots) {
    Log& log = *slot->log;
    if (!log.offline().ok()) {
      all_well = false;
      continue;
    }
    SLUICE_TRY(log.CloseClean());
    ends[log.name()] = log.written_end();
    watermarks[log.name()] = log.high_watermark();
    if (log.log_start() > Offset(0)) starts[log.name()] = log.log_start();
  }
  deleted.clear();
  if (!all_well) {
    // An offline partition still needs its journal entries: leave journal and checkpoint for the next start.
    return Status::Error(Code::kOffline, "a partition is offline, so the journal in " + JournalDir() + " is kept for the next start");
  }
  SLUICE_TRY(WriteOffsets(*env.fs, options.path + "/" + kRecoveryPointsName, ends));
  SLUICE_TRY(WriteOffsets(*env.fs, options.path + "/" + kLogStartsName, starts));
  SLUICE_TRY(WriteOffsets(*env.fs, options.path + "/" + kHighWatermarksName, watermarks));
  journal.reset();
  // The checkpoint goes first: a journal without one is no journal, and the recovery points above say the rest.
  SLUICE_TRY(env.fs->Remove(JournalDir() + "/" + kCheckpointName));
  SLUICE_TRY(env.fs->SyncDir(JournalDir()));
  SLUICE_TRY(env.fs->RemoveTree(JournalDir()));
  SLUICE_TRY(env.fs->SyncDir(options.path));
  return WriteCleanMark(*env.fs, options.path, 0);
}

}  // namespace sluice::log
