// A clean stop: nothing in flight, everything synced, Kafka's own files written, the journal gone, the mark last.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "log/cleaner.h"
#include "log/log_dir_impl.h"
#include "log/scrubber.h"

namespace sluice::log {

void LogDir::Impl::CloseClean(std::function<void(Status)> done) {
  SLUICE_ASSERT(!on_closed);
  on_closed = std::move(done);
  Commit();
  TryClose();
}

// Goes on when nothing is under way; whatever is calls again at its end.
void LogDir::Impl::TryClose() {
  if (!on_closed || writing || commit_depth > 0) return;
  if (status.ok() && journal && journal->starved() && !running_checkpoint && env.clock->MonotonicUs() >= checkpoint_again_us) {
    StartCheckpoint(nullptr);  // a full journal gives way only to a checkpoint
    return;
  }
  if (close_waits) return;
  if (cleaner->Stop() || scrubber->Stop() || running_checkpoint || segment_syncs > 0 || appender_writes > 0 || openings > 0 || checking_space || retiring) return;
  if (journal && journal->growing()) return;
  const auto again = [this] {
    close_waits = false;
    TryClose();
  };
  if (status.ok() && journal && (!journal->idle() || !staged.empty())) {
    Commit();
    // By way of the pool, because the one who tells is still in the journal's list.
    close_waits = true;
    journal->WhenDurable([this, again](Status) { io::CallLater(*env.pool, again); });
    return;
  }
  std::function<void(Status)> done = std::move(on_closed);
  on_closed = nullptr;
  const bool served = std::exchange(ready, false);
  Status result = !status.ok() ? status : served ? CloseLogs() : Status::Ok();  // never ready: the files are left for the next start
  if (result.code() == Code::kNoSpace) {
    // What replay would have needed is there for the stop instead.
    result = reserve.Release();
    if (result.ok()) result = CloseLogs();
  }
  if (result.code() == Code::kIo) NoteDoubts(*env.fs, options.path, Unsynced(), true);
  done(result);
}

Status LogDir::Impl::CloseLogs() {
  OffsetsByPartition ends, starts, watermarks;
  bool all_well = std::none_of(aside.begin(), aside.end(), [](const auto& item) { return !item.second.quarantined.empty(); });
  if (keeps_unknown) {
    ends = unopened_points;
    starts = unopened_starts;
  }
  std::vector<std::pair<Log*, Log::SyncSet>> closing;
  for (auto& [id, slot] : slots) {
    if (!slot->log->offline().ok()) {
      all_well = false;
      continue;
    }
    Result<Log::SyncSet> set = slot->log->PrepareClose();
    if (!set.ok()) return set.status();
    closing.emplace_back(slot->log.get(), set.take());
  }
  std::vector<const Log::SyncSet*> sets;
  for (const auto& [log, set] : closing) sets.push_back(&set);
  SLUICE_TRY(Log::SyncTogether(*env.fs, whole_sync, sets, options.syncs_one_by_one));
  for (auto& [closed, set] : closing) {
    Log& log = *closed;
    log.FinishClose(set);
    ends[log.name()] = log.written_end();
    watermarks[log.name()] = log.high_watermark();
    starts.erase(log.name());
    if (log.log_start() > Offset(0)) starts[log.name()] = log.log_start();
  }
  sweeper.Finish();
  if (!all_well) {
    // An offline partition still needs its journal entries, and a damaged one the checkpoint that says so: they are left for the next start.
    return Status::Error(Code::kOffline, "a partition is offline, so the journal in " + JournalDir() + " is kept for the next start");
  }
  // What the closing logs renamed and removed: a segment that comes back later may hold anything.
  SLUICE_TRY(whole_sync.Run());
  SLUICE_TRY(WriteOffsets(*env.fs, options.path + "/" + kRecoveryPointsName, ends));
  SLUICE_TRY(WriteOffsets(*env.fs, options.path + "/" + kLogStartsName, starts));
  SLUICE_TRY(WriteOffsets(*env.fs, options.path + "/" + kHighWatermarksName, watermarks));
  journal.reset();
  // The checkpoint goes first: a journal without one is no journal, and the recovery points above say the rest.
  const Status removed = env.fs->Remove(JournalDir() + "/" + kCheckpointName);
  if (removed.code() != Code::kNotFound) {   // gone already where a full disk stopped the first attempt behind it
    SLUICE_TRY(removed);
    SLUICE_TRY(env.fs->SyncDir(JournalDir()));
  }
  SLUICE_TRY(env.fs->RemoveTree(JournalDir()));
  SLUICE_TRY(env.fs->SyncDir(options.path));
  return WriteCleanMark(*env.fs, options.path, 0, StopNote{std::array<uint32_t, 3>{CrcOfOffsets(ends), CrcOfOffsets(starts), CrcOfOffsets(watermarks)}});
}

}  // namespace sluice::log
