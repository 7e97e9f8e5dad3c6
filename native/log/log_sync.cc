// Making what was written durable: for a checkpoint, and at a clean stop.
#include <algorithm>

#include "log/log_format.h"
#include "log/log_impl.h"
#include "log/producer_snapshot.h"

namespace sluice::log {

Status Log::SyncSet::Run(io::FileSystem& fs) const {
  const Status done = [&]() -> Status {
    for (const SegmentRef& segment : segments) {
      const Status synced = segment->SyncFiles();
      // Pages that a full disk refused now are lost: not a matter of trying again.
      if (synced.code() == Code::kNoSpace) return Status::Error(Code::kIo, synced.what(), synced.sys_errno());
      SLUICE_TRY(synced);
    }
    for (const PendingFile& file : files) SLUICE_TRY(io::WriteFileAtomically(fs, file.path, file.content));
    for (const std::string& name : dirs) SLUICE_TRY(fs.SyncDir(name));
    return Status::Ok();
  }();
  if (done.code() != Code::kNotFound) return done;
  // The partition may have been deleted, and its directory renamed, while this ran: then there is nothing left to make durable.
  Result<bool> there = fs.Exists(dir);
  return there.ok() && !*there ? Status::Ok() : done;
}

bool Log::dirty() const {
  const Impl& log = *impl_;
  if (log.names_dirty || log.epochs_dirty || !log.pending_files.empty() || !log.detached.empty()) return true;
  if (log.written_end > log.recovery_point) return true;
  // Rolls and repairs can touch a sealed segment's files after its data was synced.
  return std::any_of(log.segments->rbegin(), log.segments->rend(), [](const auto& segment) { return segment->dirty(); });
}

Result<Log::SyncSet> Log::PrepareSync() {
  Impl& log = *impl_;
  SyncSet set;
  set.dir = log.dir;
  for (const auto& segment : *log.segments) {
    if (!segment->dirty()) continue;
    SLUICE_TRY(segment->FlushIndexes());
    SLUICE_TRY(segment->EnsureOpen(ReadMode::kBlocking));
    set.segments.push_back(segment);
    set.generations.push_back(segment->generation());
  }
  set.files = log.pending_files;
  if (log.epochs_dirty) set.files.push_back({JoinPath(log.dir, kLeaderEpochFile), log.epochs.Encode()});
  if (log.names_dirty) set.dirs.push_back(log.dir);
  set.generations.push_back(log.names_generation);
  set.end = log.written_end;
  return set;
}

void Log::SyncDone(const SyncSet& set) {
  Impl& log = *impl_;
  for (size_t i = 0; i < set.segments.size(); ++i) static_cast<Segment&>(*set.segments[i]).SyncedAt(set.generations[i]);
  for (const PendingFile& file : set.files) {
    std::erase_if(log.pending_files, [&](const PendingFile& pending) { return pending.path == file.path && pending.content == file.content; });
    if (log.epochs_dirty && file.path == JoinPath(log.dir, kLeaderEpochFile) && file.content == log.epochs.Encode()) log.epochs_dirty = false;
  }
  if (set.generations.back() == log.names_generation) log.names_dirty = false;
  log.recovery_point = std::max(log.recovery_point, std::min(set.end, log.written_end));
  if (!log.detached.empty()) log.RenameDetached(log.Now());
}

Status Log::CloseClean() {
  Impl& log = *impl_;
  SLUICE_ASSERT(log.staged.empty() && log.replay == nullptr);
  if (!log.offline.ok()) return log.offline;
  if (log.closed) return Status::Ok();
  // Kafka closes a segment with its largest timestamp in the time index, and a log with a snapshot at its end.
  log.active().AddFinalTimeEntry();
  if (log.snapshots.empty() ? log.written_end > log.log_start || !log.producers.empty() : log.snapshots.back() < log.written_end) {
    log.AddSnapshot(log.written_end, EncodeProducerSnapshot(log.producers));
  }
  if (dirty()) {
    Result<SyncSet> set = PrepareSync();
    if (!set.ok()) return set.status();
    SLUICE_TRY(set->Run(*log.env.fs));
    SyncDone(*set);
  }
  log.closed = true;
  for (const auto& segment : *log.segments) segment->CloseIdle();
  log.RemoveDoomed(TimestampMs(INT64_MAX));
  return Status::Ok();
}

}  // namespace sluice::log
