// The end of recovery: what nobody opened is looked at, and a new incarnation of the journal begins. After a crash it takes over from the old one, and
// the checkpoint comes in the background; else, with next to nothing to sync, a checkpoint comes first.
#include <algorithm>

#include "base/assert.h"
#include "log/log_dir_impl.h"

namespace sluice::log {
struct LogDir::Impl::Beginning {
  std::function<void(Result<RecoveryReport>)> done;
  std::unordered_set<std::string> known;
  bool takes_over = false;             // the old journal's files go on proving what they prove until a checkpoint does
  std::vector<std::string> old_files, strays;
  std::unique_ptr<Journal> journal;
  std::vector<std::pair<LogSlot*, Log::SyncSet>> hardening;   // the page cache may have it otherwise than the disk, and no journal proves which is right
  std::vector<DoomedFolder> doomed;
  Status result;
};

Status LogDir::Impl::LookAround(Beginning& begin) {
  Result<std::vector<io::DirEntry>> entries = env.fs->List(options.path);
  if (!entries.ok()) return entries.status();
  for (const io::DirEntry& entry : *entries) {
    if (!entry.is_dir || entry.name == kJournalFolder) continue;
    if (IsAsideName(entry.name, kDeleteSuffix)) {
      begin.doomed.push_back({PathOf(entry.name), 0});  // a deletion that a stop cut short
      continue;
    }
    std::optional<TopicPartition> name = ParseFolderName(entry.name);
    if (!name || begin.known.count(entry.name) != 0) continue;
    if (keeps_unknown) {
      SLUICE_TRY(LeaveAlone(*name));
      continue;
    }
    SLUICE_TRY(env.fs->Rename(PathOf(entry.name), PathOf(AsideName(*name, kStraySuffix))));
    begin.strays.push_back(entry.name);
  }
  return Status::Ok();
}

// A folder that stays, though nobody opened it: what the journal has of it is put into its files now, and every checkpoint carries it on.
Status LogDir::Impl::LeaveAlone(const TopicPartition& name) {
  // After a crash it says how far the log was synced at least, and a clean stop would make it the end.
  if (auto point = recovery_points.find(name); clean && point != recovery_points.end()) unopened_points.insert(*point);
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
      if (IsUnread(opened.code())) return opened;
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
    BeginJournal(std::move(done));
    return;
  }
  finish = [this, done = std::move(done)]() mutable { BeginJournal(std::move(done)); };
}

void LogDir::Impl::BeginJournal(std::function<void(Result<RecoveryReport>)> done) {
  if (!open_failure.ok()) {
    done(open_failure);
    return;
  }
  auto begin = std::make_shared<Beginning>();
  begin->done = std::move(done);
  for (const auto& [id, slot] : slots) begin->known.insert(slot->log->name().ToString());
  for (const auto& [id, partition] : aside) begin->known.insert(TopicPartition{partition.topic, id.partition}.ToString());
  if (reader) {
    for (const TopicIdPartition& id : reader->Partitions()) {
      int64_t count = static_cast<int64_t>(reader->EntriesOf(id)->size());
      (slots.count(id) != 0 ? report.entries_replayed : report.entries_skipped) += count;
    }
  }
  // Crash after crash the files must not become ever more.
  begin->takes_over = recovering && !unproven && reader->file_bytes() <= options.journal_bytes && RoomForTwoJournals();
  begin->journal = std::make_unique<Journal>(
      env, Journal::Options{JournalDir(), options.journal_bytes, alignment, [this](int64_t capacity) { return reserve.Ensure(WantedReserve(capacity), 0); }}, begin_mark,
      [](void* owner, Offset end) {
        auto* slot = static_cast<LogSlot*>(owner);
        if (!slot->deleted) slot->log->AdvanceHighWatermark(end);
      },
      [this](const Status& why) { TakeOffline(why); });
  for (auto& [id, slot] : slots) {
    Log& log = *slot->log;
    LogConfig config = log.config();
    const bool in_cache = config.durability == Durability::kOs;
    if (!begin->takes_over) {  // the checkpoint will say so
      config.durability = slot->wanted;
      log.SetConfig(config);
    } else if (in_cache && (slot->wanted == Durability::kFsync || log.repaired())) {
      Result<Log::SyncSet> set = log.PrepareSync();
      if (!set.ok()) {
        begin->done(set.status());
        return;
      }
      begin->hardening.emplace_back(slot.get(), set.take());
    }
  }
  env.pool->Submit(io::MakeJob([this, begin] { begin->result = PrepareJournal(*begin); },
                               [this, begin] {
                                 if (!begin->result.ok()) {
                                   if (begin->result.code() == Code::kIo) Doubt(Unsynced());
                                   begin->done(begin->result);
                                   return;
                                 }
                                 journal = std::move(begin->journal);
                                 journal->OnGrown([this] {
                                   NoticeRoom();
                                   if (on_closed) TryClose();
                                 });
                                 if (!begin->old_files.empty()) old_journal = std::move(begin->old_files);
                                 doomed.insert(doomed.end(), begin->doomed.begin(), begin->doomed.end());
                                 report.strays.insert(report.strays.end(), begin->strays.begin(), begin->strays.end());
                                 if (begin->takes_over) {
                                   TakeOver(begin);
                                   return;
                                 }
                                 StartCheckpoint([this, begin](Status written) {
                                   begin->result = std::move(written);
                                   if (!begin->result.ok()) {
                                     begin->done(begin->result);
                                     return;
                                   }
                                   env.pool->Submit(io::MakeJob([this, begin] { begin->result = RemoveCleanMark(); },
                                                                [this, begin] {
                                                                  if (begin->result.ok()) begin->result = status;
                                                                  if (begin->result.ok()) EndRecovery(std::move(begin->done)); else begin->done(begin->result);
                                                                }));
                                 });
                               }));
}

Status LogDir::Impl::PrepareJournal(Beginning& begin) {
  SLUICE_TRY(LookAround(begin));
  SLUICE_TRY(env.fs->MakeDirs(JournalDir()));
  if (begin.takes_over) {
    std::vector<const Log::SyncSet*> sets;
    for (const auto& [slot, set] : begin.hardening) sets.push_back(&set);
    SLUICE_TRY(Log::SyncTogether(*env.fs, whole_sync, sets, options.syncs_one_by_one));
  } else {
    Result<std::vector<io::DirEntry>> entries = env.fs->List(JournalDir());
    if (!entries.ok()) return entries.status();
    for (const io::DirEntry& entry : *entries) {
      if (entry.name.rfind("journal-", 0) == 0) begin.old_files.push_back(JournalDir() + "/" + entry.name);
    }
  }
  SLUICE_TRY(begin.journal->Create());
  SLUICE_TRY(env.fs->SyncDir(options.path));
  return begin.takes_over ? RemoveCleanMark() : Status::Ok();
}

// From the first append on the mark would be a lie.
Status LogDir::Impl::RemoveCleanMark() {
  Result<bool> mark = env.fs->Exists(PathOf(kCleanMarkName));
  if (!mark.ok()) return mark.status();
  if (!*mark) return Status::Ok();
  SLUICE_TRY(env.fs->Remove(PathOf(kCleanMarkName)));
  return env.fs->SyncDir(options.path);
}

// The journal goes on in new files; the first entries say of each log what the next recovery could not know of it otherwise.
void LogDir::Impl::TakeOver(const std::shared_ptr<Beginning>& begin) {
  for (auto& [id, slot] : slots) {
    if (checkpoint.partitions.count(id) != 0) continue;
    AddControlEntry(EntryKind::kMode, *slot, Offset(static_cast<int64_t>(slot->log->config().durability)), nullptr);
  }
  for (auto& [slot, set] : begin->hardening) {
    slot->log->SyncDone(set);
    if (slot->wanted != Durability::kFsync) continue;
    LogConfig config = slot->log->config();
    config.durability = Durability::kFsync;
    slot->log->SetConfig(config);
    AddControlEntry(EntryKind::kSynced, *slot, set.end, nullptr);
  }
  journal->Seal();
  env.writer->Flush();
  if (!status.ok()) {
    begin->done(status);
    return;
  }
  EndRecovery(std::move(begin->done));
  if (status.ok() && !running_checkpoint) StartCheckpoint(nullptr);
}

// What is written from here on finds a journal that proves it, and a checkpoint or an older journal that proves what came before.
void LogDir::Impl::EndRecovery(std::function<void(Result<RecoveryReport>)> done) {
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
}

// A checkpoint of this incarnation is durable: nothing of the earlier ones is needed any more.
void LogDir::Impl::RetireOldJournal() {
  if (old_journal.empty() || retiring) return;
  retiring = true;
  old_journal_bytes = 0;
  env.pool->Submit(io::MakeJob(
      [files = std::exchange(old_journal, {}), dir = JournalDir(), fs = env.fs, reporter = env.reporter] {
        for (const std::string& file : files) {
          const Status removed = fs->Remove(file);
          if (!removed.ok()) reporter->Report(Severity::kWarn, file + " is of no use any more and cannot be removed: " + removed.ToString());
        }
        (void)fs->SyncDir(dir);  // or a file system may hold the blocks back
      },
      [this] {
        retiring = false;
        CheckSpace();
        if (on_closed) TryClose();
      }));
  // Ways to mode os have waited for it.
  std::vector<LogSlot*> all;
  for (auto& [id, slot] : slots) {
    if (slot->wanted != slot->log->config().durability) all.push_back(slot.get());
  }
  for (LogSlot* slot : all) AdvanceMode(slot);
}

}  // namespace sluice::log
