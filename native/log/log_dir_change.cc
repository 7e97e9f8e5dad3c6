// What changes one partition while others go on: its durability, its start, its end.
#include <algorithm>

#include "base/assert.h"
#include "log/cleaner.h"
#include "log/log_dir_impl.h"

namespace sluice::log {
namespace {

const Status kNoSuchPartition = Status::Error(Code::kNotFound, "no such partition");
const Status kNotReady = Status::Error(Code::kOffline, "recovery is not finished");

Status LookInto(io::FileSystem& fs, Sweeper::Folder& folder) {
  Result<std::vector<io::DirEntry>> entries = fs.List(folder.path);
  if (!entries.ok()) return entries.status();
  for (const io::DirEntry& entry : *entries) {
    if (entry.is_dir) continue;   // not ours; it goes with the folder
    Result<int64_t> bytes = fs.FileSize(JoinPath(folder.path, entry.name));
    folder.files.push_back({entry.name, bytes.ok() ? *bytes : 0});
  }
  return Status::Ok();
}

}  // namespace

void LogDir::Impl::SetConfig(Log* log, const LogConfig& config, std::function<void(Status)> done) {
  LogSlot* slot = SlotOf(log);
  if (slot == nullptr || !status.ok()) {
    done(slot == nullptr ? kNoSuchPartition : status);
    return;
  }
  slot->wanted = config.durability;
  LogConfig now = config;
  now.durability = log->config().durability;  // what was found holds until the journal or a checkpoint says otherwise
  log->SetConfig(now);
  if (!ready && !finishing) {  // nothing is appended before the end of recovery, and that sees to it
    done(Status::Ok());
    return;
  }
  slot->on_mode.push_back(std::move(done));
  AdvanceMode(slot);
}

// One change at a time; what is wanted may have changed again when it ends.
void LogDir::Impl::AdvanceMode(LogSlot* slot) {
  if (slot->deleted || slot->changing || !ready) return;
  Log& log = *slot->log;
  LogConfig config = log.config();
  if (slot->wanted == config.durability) {
    std::vector<std::function<void(Status)>> told = std::move(slot->on_mode);
    slot->on_mode.clear();
    for (auto& done : told) done(Status::Ok());
    return;
  }
  // What recovery cut off must not come back behind the entries, and in mode os nothing would be written over it.
  if (slot->wanted == Durability::kOs && !old_journal.empty()) return;
  slot->changing = true;
  if (slot->wanted == Durability::kOs) {
    // Batches are answered by the page cache only once recovery would look for them there.
    AddControlEntry(EntryKind::kMode, *slot, Offset(static_cast<int64_t>(Durability::kOs)), nullptr);
    slot->softening = true;
    journal->WhenDurable([this, slot](Status durable) {
      slot->changing = slot->softening = false;
      if (!durable.ok() || slot->deleted) return;  // TakeOffline or DeletePartition has told the others
      if (slot->wanted == Durability::kFsync) {    // wanted back before anything was answered that way
        Harden(slot, Offset(0));
        return;
      }
      LogConfig changed = slot->log->config();
      changed.durability = Durability::kOs;
      slot->log->SetConfig(changed);
      AdvanceMode(slot);
      if (!slot->deleted && slot->log->config().durability == Durability::kOs) slot->log->AdvanceHighWatermark(slot->log->written_end());
    });
    return;
  }
  config.durability = Durability::kFsync;
  log.SetConfig(config);
  Harden(slot, log.written_end());
}

// To mode fsync: what is in the page cache is synced first; until that is journaled, new batches are synced the same way. What lies below `soft_end` has
// been answered already.
void LogDir::Impl::Harden(LogSlot* slot, Offset soft_end) {
  slot->changing = true;
  slot->soft_end = soft_end;
  slot->sync_target = std::max(slot->sync_target, slot->log->written_end());
  slot->on_synced.push_back([this, slot](Status synced) {
    slot->changing = false;
    if (!synced.ok() || slot->deleted) return;
    slot->soft_end = Offset(0);
    AdvanceMode(slot);
  });
  if (slot->syncing) return;
  slot->syncing = true;
  StartSegmentSync(slot);
}

void LogDir::Impl::DeleteRecords(Log* log, Offset start, std::function<void(Result<Offset>)> done) {
  LogSlot* slot = SlotOf(log);
  if (slot == nullptr || !status.ok() || !ready) {
    done(slot == nullptr ? kNoSuchPartition : !status.ok() ? status : kNotReady);
    return;
  }
  Status moved = log->SetLogStart(start);
  if (!moved.ok()) {
    done(moved);
    return;
  }
  const Offset now = log->log_start();
  AddControlEntry(EntryKind::kLogStart, *slot, now, nullptr);
  journal->WhenDurable([done = std::move(done), now](Status durable) { done(durable.ok() ? Result<Offset>(now) : Result<Offset>(durable)); });
}

void LogDir::Impl::DeletePartition(const TopicIdPartition& id, std::function<void(Status)> done) {
  if (!status.ok() || !ready) {
    done(status.ok() ? kNotReady : status);
    return;
  }
  Commit();  // what this tick staged goes first, so that the entries of the log stay in order
  auto it = slots.find(id);
  if (it == slots.end()) {
    DeleteQuarantined(id, std::move(done));
    return;
  }
  std::unique_ptr<LogSlot> owned = std::move(it->second);
  LogSlot* slot = owned.get();
  slots.erase(it);
  by_log.erase(slot->log.get());
  slot->deleted = true;
  slot->on_deleted = std::move(done);
  deleted.push_back(std::move(owned));
  cleaner->Forget(id, slot->log->name());
  AddControlEntry(EntryKind::kDeleted, *slot, Offset(0), nullptr);
  const Status gone = Status::Error(Code::kNotFound, slot->log->name().ToString() + " was deleted");
  std::vector<std::function<void(Status)>> told = std::move(slot->on_synced);
  for (auto& waiting : slot->on_mode) told.push_back(std::move(waiting));
  slot->on_synced.clear();
  slot->on_mode.clear();
  slot->log->TakeOffline(gone);
  for (auto& waiting : told) waiting(gone);
  if (slot->users == 0) RenameDeleted(slot);
}

void LogDir::Impl::DeleteQuarantined(const TopicIdPartition& id, std::function<void(Status)> done) {
  auto it = aside.find(id);
  if (it == aside.end() || it->second.quarantined.empty()) {
    done(kNoSuchPartition);
    return;
  }
  const TopicPartition name{it->second.topic, id.partition};
  const std::string target = PathOf(AsideName(name, kDeleteSuffix));
  Status renamed = WithSpace([&] { return env.fs->Rename(PartitionDir(name), target); });
  if (renamed.ok()) doomed.push_back({target, env.clock->MonotonicUs()});
  if (renamed.ok() || renamed.code() == Code::kNotFound) {
    aside.erase(it);
    renamed = Status::Ok();
  }
  done(renamed);
}

// Only now: a sync under way must not write a file of this log into the folder of the next one of its name.
void LogDir::Impl::RenameDeleted(LogSlot* slot) {
  SLUICE_ASSERT(slot->deleted && !slot->renamed && slot->users == 0);
  slot->renamed = true;
  const int64_t delay_us = std::min<int64_t>(slot->log->config().file_delete_delay_ms, INT64_MAX / 2000) * 1000;
  const Status renamed = WithSpace([slot] { return slot->log->Delete(); });
  std::function<void(Status)> done = std::move(slot->on_deleted);
  slot->on_deleted = nullptr;
  if (renamed.ok()) doomed.push_back({slot->log->dir(), env.clock->MonotonicUs() + delay_us, slot->log->Readers()});
  if (renamed.ok() && journal) {
    journal->WhenDurable(std::move(done));
  } else {
    done(renamed);
  }
  ResumeOpenings();
}

void LogDir::Impl::Unuse(LogSlot* slot) {
  SLUICE_ASSERT(slot->users > 0);
  if (--slot->users == 0 && slot->deleted && !slot->renamed) RenameDeleted(slot);
}

void LogDir::Impl::ReleaseDeleted() {
  if (deleted.empty() || commit_depth > 0 || writing) return;
  // Not only once the journal is idle: under load it never is.
  std::erase_if(deleted, [this](const auto& slot) { return slot->renamed && slot->users == 0 && !slot->staged && (!journal || journal->Told(slot->journaled)); });
}

bool LogDir::Impl::DoomedFolder::is_read() const {
  return std::any_of(readers.begin(), readers.end(), [](const auto& reader) { return !reader.expired(); });
}

// The folders of deleted partitions, once their time has come. What cannot be removed now goes at the next start.
void LogDir::Impl::RemoveFolders() {
  const int64_t now_us = env.clock->MonotonicUs();
  auto due = std::make_shared<std::vector<Sweeper::Folder>>();
  std::erase_if(doomed, [&](const DoomedFolder& folder) {
    if (folder.due_us > now_us) return false;
    due->push_back({folder.path, folder.is_read()});
    return true;
  });
  if (due->empty()) return;
  env.pool->Submit(io::MakeJob(
      [fs = env.fs, reporter = env.reporter, parent = options.path, due] {
        // Their new names first: under the old one a folder that has lost its partition.metadata would be taken for the next partition of that name.
        const Status renamed = fs->SyncDir(parent);
        if (!renamed.ok()) {
          reporter->Report(Severity::kWarn, "folders of deleted partitions stay until the next start: " + renamed.ToString());
          due->clear();
        }
        std::erase_if(*due, [&](Sweeper::Folder& folder) {
          const Status looked = LookInto(*fs, folder);
          if (!looked.ok() && looked.code() != Code::kNotFound) reporter->Report(Severity::kWarn, folder.path + " cannot be removed: " + looked.ToString());
          return !looked.ok();
        });
      },
      [this, due] {
        for (const Sweeper::Folder& folder : *due) sweeper.AddFolder(folder);
      }));
}

}  // namespace sluice::log
