// Opening partitions with what the checkpoint and the journal prove of them, and the end of recovery.
#include <algorithm>

#include "base/assert.h"
#include "log/log_dir_impl.h"

namespace sluice::log {
namespace {

constexpr size_t kPartitionsPerJob = 32;   // small enough to share among the pool's threads
constexpr size_t kSyncTogether = 16;       // with more new partitions, one syncfs is cheaper than a sync for each

struct Opening {
  std::vector<PartitionSpec> specs;
  std::vector<OpenOutcome> outcomes;
  std::vector<std::unique_ptr<Log>> logs;
  std::vector<char> made;
  size_t jobs_left = 0;
  std::function<void(std::vector<OpenOutcome>)> done;
};

}  // namespace

Result<std::unique_ptr<Log>> LogDir::Impl::LoadOne(const PartitionSpec& spec, bool* made) {
  const TopicIdPartition id{spec.id, spec.name.partition};
  const std::string dir = PartitionDir(spec.name);
  LoadState state;
  Result<bool> exists = env.fs->Exists(dir);
  if (!exists.ok()) return exists.status();
  auto start = log_starts.find(spec.name);
  if (start != log_starts.end()) state.log_start = start->second;
  const bool replays = recovering && !ready;
  if (!*exists) {
    state.kind = LoadState::Kind::kNew;
    *made = true;
  } else if (replays) {
    state.kind = LoadState::Kind::kProven;
    auto proven = checkpoint.partitions.find(id);
    if (proven != checkpoint.partitions.end()) {
      if (!proven->second.quarantined.empty()) return Status::Error(Code::kCorrupt, proven->second.quarantined);
      state.proven = proven->second.proven;
    }
  } else if (clean) {
    state.kind = LoadState::Kind::kClean;
  } else {
    state.kind = LoadState::Kind::kScan;
    auto point = recovery_points.find(spec.name);
    if (point != recovery_points.end()) state.recovery_point = point->second;
  }
  Result<std::unique_ptr<Log>> log = Log::Load(env, dir, spec.name, spec.id, spec.config, spec.epoch, state);
  if (!log.ok() || !replays) return log;
  if (state.kind == LoadState::Kind::kNew && reader->EntriesOf(id) == nullptr) return log;
  SLUICE_TRY(Replay(**log, id));
  return log;
}

Status LogDir::Impl::Replay(Log& log, const TopicIdPartition& id) {
  std::vector<uint8_t> buffer;
  if (const std::vector<JournalReader::Ref>* refs = reader->EntriesOf(id)) {
    for (const JournalReader::Ref& ref : *refs) {
      Result<Entry> entry = reader->Read(ref, &buffer);
      if (!entry.ok()) return entry.status();
      switch (entry->kind) {
        case EntryKind::kBatch:
          SLUICE_TRY(log.ReplayBatch(BatchEntry{entry->id, entry->base, entry->end, entry->epoch, entry->segment_base, entry->position, entry->payload}));
          break;
        case EntryKind::kLogStart: SLUICE_TRY(log.ReplayLogStart(entry->base)); break;
        case EntryKind::kSynced: SLUICE_TRY(log.ReplaySynced(entry->base)); break;
        case EntryKind::kMode: SLUICE_TRY(log.ReplayMode(entry->base.v == 0 ? Durability::kFsync : Durability::kOs)); break;
        case EntryKind::kDeleted: break;  // metadata says whether the partition is there
      }
    }
  }
  return log.FinishReplay();
}

void LogDir::Impl::OpenPartitions(std::vector<PartitionSpec> specs, std::function<void(std::vector<OpenOutcome>)> done) {
  auto opening = std::make_shared<Opening>();
  opening->specs = std::move(specs);
  opening->done = std::move(done);
  const size_t count = opening->specs.size();
  opening->outcomes.resize(count);
  opening->logs.resize(count);
  opening->made.resize(count, 0);
  if (count == 0) {
    opening->done({});
    return;
  }
  opening->jobs_left = (count + kPartitionsPerJob - 1) / kPartitionsPerJob;
  std::shared_ptr<bool> still = alive;
  for (size_t begin = 0; begin < count; begin += kPartitionsPerJob) {
    const size_t end = std::min(count, begin + kPartitionsPerJob);
    env.pool->Submit(io::MakeJob(
        [this, opening, begin, end] {
          size_t made_here = 0;
          for (size_t i = begin; i < end; ++i) {
            bool made = false;
            Result<std::unique_ptr<Log>> log = LoadOne(opening->specs[i], &made);
            opening->made[i] = made;
            made_here += made;
            if (log.ok()) {
              opening->logs[i] = log.take();
            } else {
              opening->outcomes[i].status = log.status();
            }
          }
          // A new partition is durable before it is announced.
          if (made_here == 0) return;
          Status synced = made_here > kSyncTogether ? env.fs->SyncAll(options.path) : Status::Ok();
          for (size_t i = begin; i < end && made_here <= kSyncTogether && synced.ok(); ++i) {
            if (opening->made[i] && opening->logs[i]) synced = env.fs->SyncDir(opening->logs[i]->dir());
          }
          if (synced.ok()) synced = env.fs->SyncDir(options.path);
          if (synced.ok()) return;
          for (size_t i = begin; i < end; ++i) {
            if (opening->made[i]) opening->outcomes[i].status = synced;
          }
        },
        [this, still, opening] {
          if (!*still || --opening->jobs_left > 0) return;
          for (size_t i = 0; i < opening->specs.size(); ++i) {
            const PartitionSpec& spec = opening->specs[i];
            OpenOutcome& outcome = opening->outcomes[i];
            const TopicIdPartition id{spec.id, spec.name.partition};
            if (!outcome.status.ok()) {
              env.reporter->Report(Severity::kError, "partition " + spec.name.ToString() + " stays offline: " + outcome.status.ToString());
              if (recovering && !ready && outcome.status.code() == Code::kCorrupt) {
                Checkpoint::Partition kept;
                auto before = checkpoint.partitions.find(id);
                if (before != checkpoint.partitions.end()) kept = before->second;
                kept.topic = spec.name.topic;
                if (kept.quarantined.empty()) kept.quarantined = outcome.status.ToString();
                quarantined[id] = std::move(kept);
              }
              continue;
            }
            auto slot = std::make_unique<LogSlot>();
            slot->log = std::move(opening->logs[i]);
            slot->id = id;
            outcome.log = slot->log.get();
            by_log[outcome.log] = slot.get();
            slots[id] = std::move(slot);
          }
          opening->done(std::move(opening->outcomes));
        }));
  }
}

Status LogDir::Impl::SetStraysAside(const std::unordered_set<std::string>& known, bool keep_unknown, std::vector<std::string>* strays) {
  Result<std::vector<io::DirEntry>> entries = env.fs->List(options.path);
  if (!entries.ok()) return entries.status();
  for (const io::DirEntry& entry : *entries) {
    if (!entry.is_dir || entry.name == kJournalFolder) continue;
    const std::string path = options.path + "/" + entry.name;
    if (entry.name.size() > 7 && entry.name.compare(entry.name.size() - 7, 7, "-delete") == 0) {
      SLUICE_TRY(env.fs->RemoveTree(path));  // a deletion that a stop cut short
      continue;
    }
    if (keep_unknown || known.count(entry.name) != 0 || !ParseFolderName(entry.name)) continue;
    std::string unique = NewId();
    SLUICE_TRY(env.fs->Rename(path, options.path + "/" + entry.name + "." + unique + "-stray"));
    strays->push_back(entry.name);
  }
  return Status::Ok();
}

void LogDir::Impl::FinishRecovery(bool keep_unknown, std::function<void(Result<RecoveryReport>)> done) {
  SLUICE_ASSERT(!ready && !journal);
  auto known = std::make_shared<std::unordered_set<std::string>>();
  std::unordered_set<TopicIdPartition> opened;
  for (const auto& [id, slot] : slots) known->insert(slot->log->name().ToString());
  for (const auto& [id, partition] : quarantined) known->insert(TopicPartition{partition.topic, id.partition}.ToString());
  if (reader) {
    for (const TopicIdPartition& id : reader->Partitions()) {
      int64_t count = static_cast<int64_t>(reader->EntriesOf(id)->size());
      (slots.count(id) != 0 ? report.entries_replayed : report.entries_skipped) += count;
    }
  }
  auto old_files = std::make_shared<std::vector<std::string>>();
  auto strays = std::make_shared<std::vector<std::string>>();
  auto result = std::make_shared<Status>();
  JournalMark begin;
  begin.incarnation = incarnation;
  Journal::Options journal_options{JournalDir(), options.journal_bytes, alignment};
  auto made = std::make_shared<std::unique_ptr<Journal>>(std::make_unique<Journal>(
      env, journal_options, begin, [](void* owner, Offset end) {
        auto* slot = static_cast<LogSlot*>(owner);
        if (!slot->deleted) slot->log->AdvanceHighWatermark(end);
      },
      [this](const Status& why) { TakeOffline(why); }));
  std::shared_ptr<bool> still = alive;
  env.pool->Submit(io::MakeJob(
      [this, known, keep_unknown, strays, result, made, old_files] {
        *result = [&]() -> Status {
          SLUICE_TRY(SetStraysAside(*known, keep_unknown, strays.get()));
          SLUICE_TRY(env.fs->MakeDirs(JournalDir()));
          Result<std::vector<io::DirEntry>> entries = env.fs->List(JournalDir());
          if (!entries.ok()) return entries.status();
          for (const io::DirEntry& entry : *entries) {
            if (entry.name.rfind("journal-", 0) == 0) old_files->push_back(JournalDir() + "/" + entry.name);
          }
          SLUICE_TRY((*made)->Create());
          return env.fs->SyncDir(options.path);
        }();
      },
      [this, still, strays, result, made, old_files, done = std::move(done)]() mutable {
        if (!*still) return;
        if (!result->ok()) {
          done(*result);
          return;
        }
        journal = std::move(*made);
        report.strays = *strays;
        // The first checkpoint of this incarnation: everything recovered is synced, and the old chain is void.
        StartCheckpoint([this, still, old_files, done = std::move(done)](Status written) {
          if (!written.ok()) {
            done(written);
            return;
          }
          auto removed = std::make_shared<Status>();
          env.pool->Submit(io::MakeJob(
              [this, removed, old_files] {
                *removed = [&]() -> Status {
                  Result<bool> mark = env.fs->Exists(options.path + "/" + kCleanMarkName);
                  if (!mark.ok()) return mark.status();
                  if (*mark) {
                    SLUICE_TRY(env.fs->Remove(options.path + "/" + kCleanMarkName));
                    SLUICE_TRY(env.fs->SyncDir(options.path));
                  }
                  for (const std::string& path : *old_files) SLUICE_TRY(env.fs->Remove(path));
                  return Status::Ok();
                }();
              },
              [this, still, removed, done] {
                if (!*still) return;
                if (!removed->ok()) {
                  done(*removed);
                  return;
                }
                ready = true;
                reader.reset();
                checkpoint = Checkpoint();
                recovery_points.clear();
                log_starts.clear();
                done(report);
              }));
        });
      }));
}

}  // namespace sluice::log
