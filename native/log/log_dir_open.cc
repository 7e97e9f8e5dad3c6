// Taking a log directory: lock, identity, and finding out how it was left.
#include <sys/random.h>

#include <algorithm>

#include "base/assert.h"
#include "log/cleaner.h"
#include "log/doubt.h"
#include "log/log_dir_impl.h"

namespace sluice::log {
namespace {

constexpr int64_t kLeastJournalBytes = 16 << 20;
constexpr int64_t kDiskPart = 16;

// Any number that no earlier journal here had, whatever became of its files and of the checkpoint that named it.
uint64_t NewIncarnation() {
  uint64_t incarnation = 0;
  while (incarnation == 0) SLUICE_ASSERT(::getrandom(&incarnation, sizeof(incarnation), 0) == static_cast<ssize_t>(sizeof(incarnation)));
  return incarnation;
}

}  // namespace

Status LogDir::Impl::Open() {
  Result<bool> there = env.fs->Exists(options.path);
  if (!there.ok()) return there.status();
  if (!*there) SLUICE_TRY(env.fs->MakeDirs(options.path));
  Result<std::unique_ptr<io::FileLock>> taken = env.fs->Lock(options.path + "/" + kLockName);
  if (!taken.ok()) return taken.status();
  lock = taken.take();
  env.fs->WatchForErrors(options.path);
  SLUICE_TRY(CheckIdentity());
  return ReadState();
}

Status LogDir::Impl::CheckIdentity() {
  Result<MetaProperties> found = ReadMetaProperties(*env.fs, options.path);
  if (found.ok()) {
    identity = *found;
    if (!options.cluster_id.empty() && options.cluster_id != identity.cluster_id) {
      return Status::Error(Code::kForeign, "directory " + options.path + " belongs to cluster " + identity.cluster_id + ", not to " +
                                               options.cluster_id + "; use the directory of this cluster, or an empty one");
    }
    if (options.node_id != identity.node_id) {
      return Status::Error(Code::kForeign, "directory " + options.path + " belongs to node.id=" + std::to_string(identity.node_id) + ", not " +
                                               std::to_string(options.node_id) + "; set node.id to it, or use an empty directory");
    }
    if (!identity.directory_id.empty() && !identity.cluster_id.empty()) return Status::Ok();
    // Formatted by a Kafka before KIP-858: what is missing is added, as Kafka does.
    if (identity.cluster_id.empty()) identity.cluster_id = options.cluster_id.empty() ? NewId() : options.cluster_id;
    if (identity.directory_id.empty()) identity.directory_id = options.directory_id.empty() ? NewId() : options.directory_id;
    return WriteMetaProperties(*env.fs, options.path, identity);
  }
  if (found.code() != Code::kNotFound) return found.status();
  first_start = true;
  // Its own name becomes durable before anything in it: an earlier start may have made it and come no further.
  const size_t slash = options.path.find_last_of('/');
  SLUICE_TRY(env.fs->SyncDir(slash == std::string::npos ? "." : slash == 0 ? "/" : options.path.substr(0, slash)));
  identity.cluster_id = options.cluster_id.empty() ? NewId() : options.cluster_id;
  identity.directory_id = options.directory_id.empty() ? NewId() : options.directory_id;
  identity.node_id = options.node_id;
  return WriteMetaProperties(*env.fs, options.path, identity);
}

// Before anything is done about what was read: what reaches the disk of the last life's writes from now on is not part of the chain any more, or a
// recovery that is cut short would be followed by one that reads further, over what the first has cut off.
Status LogDir::Impl::EndOldJournal() {
  const Status durable = reader->MakeDurable();
  if (!durable.ok()) (void)NoteFailedSync(*env.fs, JournalDir(), kEveryStem);
  SLUICE_TRY(durable);
  // One incarnation takes over from another, never two: what a start that was cut short has left goes first.
  for (const std::string& path : reader->leftovers()) SLUICE_TRY(env.fs->Remove(path));
  if (!reader->leftovers().empty()) SLUICE_TRY(env.fs->SyncDir(JournalDir()));
  old_journal = reader->files();
  old_journal_bytes = reader->file_bytes();
  std::string path;
  Result<JournalMark> begun = Journal::TakeOver(*env.fs, JournalDir(), reader->end(), NewIncarnation(), alignment != 0, &path);
  if (!begun.ok()) {
    (void)NoteFailedSync(*env.fs, JournalDir(), kEveryStem);
    return begun.status();
  }
  old_journal.push_back(path);
  begin_mark = *begun;
  return Status::Ok();
}

Status LogDir::Impl::ReadState() {
  SLUICE_TRY(reserve.Release());  // for what follows, on a disk that is full
  SLUICE_TRY(SpreadDoubt(*env.fs, options.path));
  begin_mark = JournalMark{NewIncarnation(), 0, 0};
  Result<uint32_t> direct = env.fs->DirectAlignment(options.path);
  if (!direct.ok()) return direct.status();
  alignment = *direct;
  dirty_budget = env.fs->DirtyBudget();
  // With its reserve the journal may come to twice its size: a small disk is there for records first.
  Result<int64_t> total = env.fs->TotalBytes(options.path);
  if (!total.ok()) return total.status();
  options.journal_bytes = std::min(options.journal_bytes, std::max(kLeastJournalBytes, *total / kDiskPart));

  Result<bool> mark = env.fs->Exists(options.path + "/" + kCleanMarkName);
  if (!mark.ok()) return mark.status();
  clean = *mark;

  Result<Checkpoint> stored = ReadCheckpoint(*env.fs, JournalDir());
  if (stored.ok()) {
    checkpoint = stored.take();
    Result<std::unique_ptr<JournalReader>> scanned = JournalReader::Scan(*env.fs, JournalDir(), checkpoint.mark);
    if (!scanned.ok()) return scanned.status();
    reader = scanned.take();
    // Logs would be cut to what is left of it.
    Result<std::optional<JournalReader::Lost>> lost = reader->FindLost(false);
    if (!lost.ok()) return lost.status();
    if (*lost) {
      return Status::Error(Code::kCorrupt, JournalDir() + " has lost frames that were durable: it can be read up to frame " + std::to_string(reader->end().sequence) + ", and " + (*lost)->path +
                                               " has frame " + std::to_string((*lost)->sequence) + " at " + std::to_string((*lost)->position) +
                                               "; the disk or another program changed it. Moved away, it leaves each log with what its segments hold");
    }
    recovering = true;
    report.journal_bytes_read = reader->bytes_read();
    report.incarnations = reader->incarnations();
    if (clean && reader->entries() > 0) {
      return Status::Error(Code::kForeign, "directory " + options.path + " has both the mark of a clean stop and a journal in use: another program stopped "
                                               "here since; remove " + kCleanMarkName + " to keep the journal's records, or " + kJournalFolder +
                                               " to keep the other program's");
    }
    SLUICE_TRY(EndOldJournal());
    clean = false;  // an empty journal beside the mark: the last start ended before it took the mark away
  } else if (stored.code() != Code::kNotFound) {
    return stored.status();
  }
  report.clean = clean || first_start;

  StopNote note;
  if (clean) {
    Result<StopNote> noted = ReadStopNote(*env.fs, options.path);
    if (IsUnread(noted.code())) return noted.status();
    if (noted.ok()) note = *noted; else env.reporter->Report(Severity::kWarn, noted.status().ToString());
  }
  // Kafka, too, takes a damaged file of these as none. One that cannot be read now may be whole: going on without it would bring deleted records back.
  const auto read = [this, &note](const char* name, const char* without, auto take) -> Status {
    const std::string path = options.path + "/" + name;
    Result<OffsetsByPartition> offsets = ReadOffsets(*env.fs, path, note.CrcOf(name));
    if (offsets.ok()) take(offsets.take());
    else if (IsUnread(offsets.code())) return Status::Error(offsets.code(), path + ": " + offsets.status().what(), offsets.status().sys_errno());
    else env.reporter->Report(Severity::kWarn, offsets.status().ToString() + "; " + without);
    return Status::Ok();
  };
  SLUICE_TRY(read(kRecoveryPointsName, "logs are scanned from their beginning", [this](OffsetsByPartition found) { recovery_points = std::move(found); }));
  SLUICE_TRY(read(kLogStartsName, "logs begin at their first segment", [this](OffsetsByPartition found) { log_starts = std::move(found); }));
  return read(kCleanedOffsetsName, "compacted logs are cleaned from their beginning", [this](OffsetsByPartition found) { cleaner->TakeOver(std::move(found)); });
}

}  // namespace sluice::log
