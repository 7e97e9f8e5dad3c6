// Making what was written durable: for a checkpoint, and at a clean stop.
#include <algorithm>

#include "log/doubt.h"
#include "log/log_format.h"
#include "log/log_impl.h"
#include "log/producer_snapshot.h"

namespace sluice::log {
namespace {

// The partition may have been deleted, and its directory renamed, while its set was synced: then there is nothing left to make durable.
Status UnlessGone(io::FileSystem& fs, const std::string& dir, Status status) {
  if (status.code() != Code::kNotFound) return status;
  Result<bool> there = fs.Exists(dir);
  return there.ok() && !*there ? Status::Ok() : status;
}

Status SyncSegments(const Log::SyncSet& set) {
  for (const SegmentRef& segment : set.segments) {
    SLUICE_TRY(segment->WriteIndexes());
    SLUICE_TRY(LostIfFull(segment->SyncFiles()));
  }
  return Status::Ok();
}

// An index that finds no room is as a write that does: it is tried again. Pages of the log that find none are gone.
Status WriteOutAll(SegmentFiles& segment) {
  SLUICE_TRY(LostIfFull(segment.WriteOut()));
  return segment.WriteIndexesAway();
}

std::string StemsOf(std::span<const SegmentRef> segments) {
  std::string stems;
  for (const SegmentRef& segment : segments) stems += SegmentFileName(segment->base(), "") + "\n";
  return stems;
}

// Of a write-back of these, which may have lost pages: the note of that comes first.
Status NotedIfLost(io::FileSystem& fs, const std::string& dir, std::span<const SegmentRef> segments, Status synced) {
  if (synced.code() == Code::kIo) (void)NoteFailedSync(fs, dir, StemsOf(segments));
  return synced;
}

std::string TemporaryName(const PendingFile& file) { return file.path + ".tmp"; }

Status WriteTemporary(io::FileSystem& fs, const PendingFile& file) {
  Result<std::unique_ptr<io::File>> out = fs.Open(TemporaryName(file), io::OpenMode::kCreate);
  if (!out.ok()) return out.status();
  SLUICE_TRY((*out)->Truncate(0));
  return (*out)->WriteAt({reinterpret_cast<const uint8_t*>(file.content.data()), file.content.size()}, 0);
}

}  // namespace

Status Log::SyncTogether(io::FileSystem& fs, WholeSync& whole, std::span<const SyncSet* const> sets, size_t one_by_one) {
  size_t due = 0;
  for (const SyncSet* set : sets) due += set->segments.size() + set->files.size();
  if (due <= one_by_one) {
    for (const SyncSet* set : sets) SLUICE_TRY(set->Run(fs));
    return Status::Ok();
  }
  for (const SyncSet* set : sets) {
    for (const SegmentRef& segment : set->segments) {
      SLUICE_TRY(UnlessGone(fs, set->dir, NotedIfLost(fs, set->dir, set->segments, WriteOutAll(*segment))));
    }
    for (const PendingFile& file : set->files) SLUICE_TRY(UnlessGone(fs, set->dir, WriteTemporary(fs, file)));
  }
  SLUICE_TRY(whole.Run());
  for (const SyncSet* set : sets) {
    for (const SegmentRef& segment : set->segments) SLUICE_TRY(LostIfFull(segment->SyncOutcome()));
    for (const PendingFile& file : set->files) SLUICE_TRY(UnlessGone(fs, set->dir, fs.Rename(TemporaryName(file), file.path)));
  }
  SLUICE_TRY(whole.Run());  // the names
  for (const SyncSet* set : sets) {
    if (!set->cut_note.empty()) (void)fs.Remove(set->cut_note);
  }
  return Status::Ok();
}

Status Log::SyncSet::Run(io::FileSystem& fs) const {
  return UnlessGone(fs, dir, [&]() -> Status {
    SLUICE_TRY(NotedIfLost(fs, dir, segments, SyncSegments(*this)));
    for (const PendingFile& file : files) SLUICE_TRY(io::WriteFileAtomically(fs, file.path, file.content));
    for (const std::string& name : dirs) SLUICE_TRY(fs.SyncDir(name));
    if (!cut_note.empty()) (void)fs.Remove(cut_note);
    return Status::Ok();
  }());
}

Result<Log::DataSync> Log::PrepareDataSync() {
  Impl& log = *impl_;
  DataSync sync;
  sync.dir = log.dir;
  for (const auto& segment : *log.segments) {
    if (!segment->dirty() || segment->is_data_synced()) continue;
    SLUICE_TRY(segment->EnsureOpen(ReadMode::kBlocking));
    sync.segments.push_back(segment);
    sync.sizes.push_back(segment->size());
  }
  sync.names = log.names_dirty;
  sync.end = log.written_end;
  return sync;
}

Status Log::DataSync::Run(io::FileSystem& fs) const {
  return UnlessGone(fs, dir, [&]() -> Status {
    for (const SegmentRef& segment : segments) SLUICE_TRY(NotedIfLost(fs, dir, segments, LostIfFull(segment->SyncData())));
    return names ? fs.SyncDir(dir) : Status::Ok();
  }());
}

void Log::DataSynced(const DataSync& sync) {
  for (size_t i = 0; i < sync.segments.size(); ++i) static_cast<Segment&>(*sync.segments[i]).DataSyncedTo(sync.sizes[i]);
}

bool Log::dirty() const {
  const Impl& log = *impl_;
  if (log.written_end > log.recovery_point) return true;
  // The epochs of a new log are in every checkpoint; the file can wait.
  if (log.names_dirty || (log.epochs_dirty && !log.unfinished) || !log.pending_files.empty() || !log.detached.empty()) return true;
  // Rolls and repairs can touch a sealed segment's files after its data was synced.
  return std::any_of(log.segments->rbegin(), log.segments->rend(), [](const auto& segment) { return segment->dirty(); });
}

std::string Log::DirtyStems() const {
  std::vector<SegmentRef> unsynced;
  for (const auto& segment : *impl_->segments) {
    if (segment->dirty()) unsynced.push_back(segment);
  }
  return StemsOf(unsynced);
}

uint64_t Log::names_generation() const { return impl_->names_generation; }

void Log::NamesSyncedTo(uint64_t generation) {
  Impl& log = *impl_;
  if (generation == log.names_generation) log.names_dirty = false;
  if (!log.names_dirty) (void)log.RenameDetached(log.Now());
}

bool Log::has_detached() const { return !impl_->detached.empty(); }

Result<Log::SyncSet> Log::PrepareSync() {
  Impl& log = *impl_;
  SyncSet set;
  set.dir = log.dir;
  for (const auto& segment : *log.segments) {
    if (!segment->dirty()) continue;
    // The one that grows is written by whoever syncs. The others have nothing left to write, and are safe from that when their files are renamed.
    SLUICE_TRY(segment->sealed() ? segment->FlushIndexes() : segment->FlushTxns());
    SLUICE_TRY(segment->EnsureOpen(ReadMode::kBlocking));
    if (segment->TakeNewNames()) {
      log.NamesChanged();
    }
    set.segments.push_back(segment);
    set.generations.push_back(segment->generation());
  }
  set.files = log.pending_files;
  if (log.epochs_dirty) set.files.push_back({JoinPath(log.dir, kLeaderEpochFile), log.epochs.Encode()});
  if (log.names_dirty) set.dirs.push_back(log.dir);
  set.generations.push_back(log.names_generation);
  set.end = log.written_end;
  if (log.cut_noted) set.cut_note = JoinPath(log.dir, kCutName);
  if (!set.segments.empty()) log.unfinished = false;
  return set;
}

Status Log::SyncNames() {
  Impl& log = *impl_;
  if (!log.id.IsZero()) {
    Result<std::unique_ptr<io::File>> file = log.env.fs->Open(JoinPath(log.dir, kPartitionMetadataFile), io::OpenMode::kReadWrite);
    if (!file.ok()) return file.status();
    const Status synced = (*file)->Sync();
    if (synced.code() == Code::kIo) (void)NoteFailedSync(*log.env.fs, log.dir, std::string(kPartitionMetadataFile) + "\n");
    SLUICE_TRY(synced);
  }
  return log.env.fs->SyncDir(log.dir);
}

void Log::NamesSynced() {
  Impl& log = *impl_;
  log.names_dirty = false;
  if (log.active().size() > 0 || log.segments->size() > 1 || log.replay != nullptr) return;
  log.active().SyncedAt(log.active().generation());
  log.active().CloseIdle();
  log.unfinished = true;
}

void Log::SyncDone(const SyncSet& set) {
  Impl& log = *impl_;
  for (size_t i = 0; i < set.segments.size(); ++i) static_cast<Segment&>(*set.segments[i]).SyncedAt(set.generations[i]);
  for (const PendingFile& file : set.files) {
    std::erase_if(log.pending_files, [&](const PendingFile& pending) { return pending.path == file.path && pending.content == file.content; });
    if (log.epochs_dirty && file.path == JoinPath(log.dir, kLeaderEpochFile) && file.content == log.epochs.Encode()) log.epochs_dirty = false;
  }
  if (set.generations.back() == log.names_generation) log.names_dirty = false;
  if (!set.cut_note.empty()) log.cut_noted = false;
  log.recovery_point = std::max(log.recovery_point, std::min(set.end, log.written_end));
  if (!log.detached.empty()) (void)log.RenameDetached(log.Now());
}

Result<Log::SyncSet> Log::PrepareClose() {
  Impl& log = *impl_;
  SLUICE_ASSERT(log.staged.empty() && log.replay == nullptr);
  if (!log.offline.ok()) return log.offline;
  if (log.closed) return SyncSet();
  // Kafka closes a segment with its largest timestamp in the time index, and a log with a snapshot at its end.
  log.active().AddFinalTimeEntry();
  if (log.unfinished) {
    log.active().Touch();
    log.unfinished = false;
  }
  if (log.snapshots.empty() ? log.written_end > log.log_start || !log.producers.empty() : log.snapshots.back() < log.written_end) {
    log.AddSnapshot(log.written_end, EncodeProducerSnapshot(log.producers));
  }
  if (!dirty()) {
    SyncSet nothing;
    nothing.end = log.written_end;
    return nothing;
  }
  return PrepareSync();
}

void Log::FinishClose(const SyncSet& synced) {
  Impl& log = *impl_;
  if (log.closed) return;
  if (dirty()) SyncDone(synced);
  log.closed = true;
  log.CloseUnread();
  log.RemoveDoomed(TimestampMs(INT64_MAX), true);
}

Status Log::CloseClean() {
  Result<SyncSet> set = PrepareClose();
  if (!set.ok()) return set.status();
  SLUICE_TRY(set->Run(*impl_->env.fs));
  FinishClose(*set);
  return Status::Ok();
}

}  // namespace sluice::log
