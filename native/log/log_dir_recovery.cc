// The end of recovery: what nobody opened is looked at, everything is synced, and a new incarnation of the journal begins.
#include <sys/random.h>

#include <algorithm>

#include "base/assert.h"
#include "log/log_dir_impl.h"

namespace sluice::log {
namespace {

// Any number that no earlier journal here had, whatever became of its files and of the checkpoint that named it.
uint64_t NewIncarnation() {
  uint64_t incarnation = 0;
  while (incarnation == 0) SLUICE_ASSERT(::getrandom(&incarnation, sizeof(incarnation), 0) == static_cast<ssize_t>(sizeof(incarnation)));
  return incarnation;
}

}  // namespace

Status LogDir::Impl::LookAround(const std::unordered_set<std::string>& known, bool keep_unknown, std::vector<std::string>* strays) {
  Result<std::vector<io::DirEntry>> entries = env.fs->List(options.path);
  if (!entries.ok()) return entries.status();
  for (const io::DirEntry& entry : *entries) {
    if (!entry.is_dir || entry.name == kJournalFolder) continue;
    if (IsAsideName(entry.name, kDeleteSuffix)) {
      SLUICE_TRY(env.fs->RemoveTree(PathOf(entry.name)));  // a deletion that a stop cut short
      continue;
    }
    std::optional<TopicPartition> name = ParseFolderName(entry.name);
    if (!name || known.count(entry.name) != 0) continue;
    if (keep_unknown) {
      SLUICE_TRY(LeaveAlone(*name));
      continue;
    }
    SLUICE_TRY(env.fs->Rename(PathOf(entry.name), PathOf(AsideName(*name, kStraySuffix))));
    strays->push_back(entry.name);
  }
  return Status::Ok();
}

// A folder that stays, though nobody opened it: what the journal has of it is put into its files now, and every checkpoint carries it on.
Status LogDir::Impl::LeaveAlone(const TopicPartition& name) {
  if (auto point = recovery_points.find(name); point != recovery_points.end()) unopened_points.insert(*point);
  if (auto start = log_starts.find(name); start != log_starts.end()) unopened_starts.insert(*start);
  Result<TopicId> topic = ReadPartitionTopicId(*env.fs, PartitionDir(name));
  if (!topic.ok()) return topic.status();
  if (topic->IsZero()) return Status::Ok();
  const TopicIdPartition id{*topic, name.partition};
  if (aside.count(id) != 0) return Status::Ok();
  Checkpoint::Partition kept;
  kept.topic = name.topic;
  if (recovering) {
    auto named = checkpoint.partitions.find(id);
    if (named != checkpoint.partitions.end()) kept = named->second;
    if (kept.quarantined.empty() && (!kept.proven.empty() || reader->EntriesOf(id) != nullptr)) {
      PartitionSpec spec;
      spec.name = name;
      spec.id = *topic;
      spec.epoch = kNoEpoch;
      Loaded loaded;
      Status opened = LoadOne(spec, &loaded);
      if (opened.ok()) opened = loaded.log->CloseClean();
      if (opened.code() == Code::kIo || opened.code() == Code::kNoSpace) return opened;
      kept.proven.clear();
      if (opened.ok()) {
        loaded.log->EncodeProven(&kept.proven);
        unopened_points[name] = loaded.log->written_end();
        unopened_starts.erase(name);
        if (loaded.log->log_start() > Offset(0)) unopened_starts[name] = loaded.log->log_start();
      } else {
        kept.quarantined = opened.ToString();
      }
    }
  }
  aside.emplace(id, std::move(kept));
  return Status::Ok();
}

void LogDir::Impl::FinishRecovery(bool keep_unknown, std::function<void(Result<RecoveryReport>)> done) {
  SLUICE_ASSERT(!finishing && !ready);
  finishing = true;
  keeps_unknown = keep_unknown;
  if (openings == 0) {
    BeginJournal(keep_unknown, std::move(done));
    return;
  }
  finish = [this, keep_unknown, done = std::move(done)]() mutable { BeginJournal(keep_unknown, std::move(done)); };
}

void LogDir::Impl::BeginJournal(bool keep_unknown, std::function<void(Result<RecoveryReport>)> done) {
  if (!open_failure.ok()) {
    done(open_failure);
    return;
  }
  auto known = std::make_shared<std::unordered_set<std::string>>();
  for (const auto& [id, slot] : slots) known->insert(slot->log->name().ToString());
  for (const auto& [id, partition] : aside) known->insert(TopicPartition{partition.topic, id.partition}.ToString());
  if (reader) {
    for (const TopicIdPartition& id : reader->Partitions()) {
      int64_t count = static_cast<int64_t>(reader->EntriesOf(id)->size());
      (slots.count(id) != 0 ? report.entries_replayed : report.entries_skipped) += count;
    }
  }
  struct Shared {
    std::vector<std::string> old_files, strays;
    std::unique_ptr<Journal> journal;
    Status result;
  };
  auto shared = std::make_shared<Shared>();
  JournalMark begin;
  begin.incarnation = NewIncarnation();
  shared->journal = std::make_unique<Journal>(
      env, Journal::Options{JournalDir(), options.journal_bytes, alignment, [this](int64_t capacity) { return reserve.Ensure(WantedReserve(capacity), 0); }}, begin,
      [](void* owner, Offset end) {
        auto* slot = static_cast<LogSlot*>(owner);
        if (!slot->deleted) slot->log->AdvanceHighWatermark(end);
      },
      [this](const Status& why) { TakeOffline(why); });
  env.pool->Submit(io::MakeJob(
      [this, known, keep_unknown, shared] {
        shared->result = [&]() -> Status {
          SLUICE_TRY(LookAround(*known, keep_unknown, &shared->strays));
          SLUICE_TRY(env.fs->MakeDirs(JournalDir()));
          Result<std::vector<io::DirEntry>> entries = env.fs->List(JournalDir());
          if (!entries.ok()) return entries.status();
          for (const io::DirEntry& entry : *entries) {
            if (entry.name.rfind("journal-", 0) == 0) shared->old_files.push_back(JournalDir() + "/" + entry.name);
          }
          SLUICE_TRY(shared->journal->Create());
          return env.fs->SyncDir(options.path);
        }();
      },
      [this, shared, done = std::move(done)]() mutable {
        if (!shared->result.ok()) {
          done(shared->result);
          return;
        }
        journal = std::move(shared->journal);
        journal->OnGrown([this] {
          NoticeRoom();
          if (on_closed) TryClose();
        });
        report.strays.insert(report.strays.end(), shared->strays.begin(), shared->strays.end());
        // The first checkpoint of this incarnation: everything recovered is synced, and the old chain is void.
        StartCheckpoint([this, shared, done = std::move(done)](Status written) mutable {
          if (written.ok()) {
            EndRecovery(shared->old_files, std::move(done));
          } else {
            done(written);
          }
        });
      }));
}

void LogDir::Impl::EndRecovery(const std::vector<std::string>& old_files, std::function<void(Result<RecoveryReport>)> done) {
  auto removed = std::make_shared<Status>();
  env.pool->Submit(io::MakeJob(
      [removed, old_files, fs = env.fs, path = options.path, mark_path = PathOf(kCleanMarkName), journal_dir = JournalDir()] {
        *removed = [&]() -> Status {
          Result<bool> mark = fs->Exists(mark_path);
          if (!mark.ok()) return mark.status();
          if (*mark) {
            SLUICE_TRY(fs->Remove(mark_path));
            SLUICE_TRY(fs->SyncDir(path));
          }
          for (const std::string& file : old_files) SLUICE_TRY(fs->Remove(file));
          return fs->SyncDir(journal_dir);
        }();
      },
      [this, removed, done = std::move(done)] {
        if (!removed->ok() || !status.ok()) {
          done(removed->ok() ? status : *removed);
          return;
        }
        ready = true;
        reader.reset();
        checkpoint = Checkpoint();
        recovery_points.clear();
        log_starts.clear();
        std::vector<LogSlot*> all;
        for (auto& [id, slot] : slots) all.push_back(slot.get());
        for (LogSlot* slot : all) AdvanceMode(slot);
        CheckSpace();
        done(report);
        ResumeOpenings();
      }));
}

}  // namespace sluice::log
