// Opening partitions: what the checkpoint, the journal or Kafka's own files prove of each, and what stands in its way.
#include <algorithm>

#include "base/assert.h"
#include "log/log_dir_impl.h"

namespace sluice::log {
namespace {

constexpr size_t kPartitionsPerJob = 32;   // small enough to share among the pool's threads

}  // namespace

struct LogDir::Impl::Opening {
  std::vector<PartitionSpec> specs;
  std::vector<OpenOutcome> outcomes;
  std::vector<char> decided;       // the outcome stands already
  std::vector<Loaded> loaded;
  Status all_synced;               // what became of a sync of the whole file system, if there was one
  size_t jobs_left = 0;
  std::function<void(std::vector<OpenOutcome>)> done;
};

// What is known of a partition whose folder is there, while the directory is being recovered. `replays`: the journal has to say something too.
Status LogDir::Impl::ChooseState(const PartitionSpec& spec, LoadState* state, bool* replays) {
  const TopicIdPartition id{spec.id, spec.name.partition};
  const auto by_kafkas_files = [&](bool all_good) {
    state->kind = all_good ? LoadState::Kind::kClean : LoadState::Kind::kScan;
    if (auto point = recovery_points.find(spec.name); point != recovery_points.end()) {
      state->recovery_point = point->second;
      if (all_good) state->stopped_at = point->second;
    }
    if (auto start = log_starts.find(spec.name); start != log_starts.end()) state->log_start = start->second;
  };
  if (!recovering) {
    by_kafkas_files(clean);
    return Status::Ok();
  }
  auto named = checkpoint.partitions.find(id);
  if (named != checkpoint.partitions.end()) {
    if (!named->second.quarantined.empty()) return Status::Error(Code::kCorrupt, named->second.quarantined);
    if (named->second.proven.empty()) {
      by_kafkas_files(false);  // nobody opened it since Kafka's files were written
      return Status::Ok();
    }
    state->kind = LoadState::Kind::kProven;
    state->proven = named->second.proven;
    *replays = true;
    return Status::Ok();
  }
  // Made after the checkpoint: Kafka's files are older still, and may speak of an earlier topic of this name.
  state->kind = LoadState::Kind::kProven;
  *replays = true;
  return Status::Ok();
}

// Where the log will begin once all entries are in: what lies below need not be whole any more.
Status LogDir::Impl::FindLogStart(const TopicIdPartition& id, LoadState* state) {
  const std::vector<JournalReader::Ref>* refs = reader->EntriesOf(id);
  if (refs == nullptr) return Status::Ok();
  std::vector<uint8_t> buffer;
  for (const JournalReader::Ref& ref : *refs) {
    if (ref.length != kEntryHeaderBytes) continue;
    Result<Entry> entry = reader->Read(ref, &buffer);
    if (!entry.ok()) return entry.status();
    if (entry->kind == EntryKind::kLogStart) state->log_start = std::max(state->log_start.value_or(Offset(0)), entry->base);
  }
  return Status::Ok();
}

Status LogDir::Impl::LoadOne(const PartitionSpec& spec, Loaded* loaded) {
  const TopicIdPartition id{spec.id, spec.name.partition};
  const std::string dir = PartitionDir(spec.name);
  LoadState state;
  Result<TopicId> found = ReadPartitionTopicId(*env.fs, dir);
  if (!found.ok()) return found.status();
  Result<bool> exists = !found->IsZero();
  if (!*exists) exists = env.fs->Exists(dir);
  if (!exists.ok()) return exists.status();
  if (*exists) {
    state.identified = !found->IsZero() && *found == spec.id;
    const bool other = !spec.id.IsZero() && !found->IsZero() && *found != spec.id;
    if ((other || ready) && !options.embedded) {
      // Left of an earlier topic of this name, or of an opening that failed half way.
      loaded->stray = AsideName(spec.name, kStraySuffix);
      SLUICE_TRY(env.fs->Rename(dir, PathOf(loaded->stray)));
      *exists = false;
    } else if (ready) {
      return Status::Error(Code::kExists, dir + " was there before and not opened then");
    }
  }
  bool replays = false;
  if (*exists) {
    SLUICE_TRY(ChooseState(spec, &state, &replays));
    loaded->unproven = !replays;
    if (replays) SLUICE_TRY(FindLogStart(id, &state));
    // Whoever appended to it had been told that it is durable.
    loaded->fresh = recovering ? replays && state.proven.empty() && reader->EntriesOf(id) == nullptr : !clean;
  } else {
    state.kind = LoadState::Kind::kNew;
    loaded->made = loaded->fresh = true;
    if (!ready) {
      // An earlier start has seen damage, and may have set the folder aside: only a deletion forgets that.
      const auto known = checkpoint.partitions.find(id);
      if (known != checkpoint.partitions.end() && !known->second.quarantined.empty()) return Status::Error(Code::kCorrupt, known->second.quarantined);
      // Without its folder only a partition that was made after the checkpoint can be whole again.
      const bool named = known != checkpoint.partitions.end();
      const auto stopped = recovery_points.find(spec.name);
      if (named || (clean && stopped != recovery_points.end() && stopped->second > Offset(0))) {
        env.reporter->Report(Severity::kWarn, dir + " is missing: " + spec.name.ToString() + " begins anew, empty");
      }
      loaded->unproven = named;
      replays = recovering && !named && reader->EntriesOf(id) != nullptr;
    }
  }
  Status done = Status::Ok();
  Result<std::unique_ptr<Log>> log = Log::Load(env, dir, spec.name, spec.id, spec.config, spec.epoch, state);
  if (!log.ok()) {
    done = log.status();
  } else if (replays) {
    done = Replay(**log, id);
  }
  if (done.ok()) {
    loaded->log = log.take();
  } else if (loaded->made) {
    (void)env.fs->RemoveTree(dir);
  }
  return done;
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
  // Of a partition that nothing speaks of yet even the mode is unknown: what its files hold together is kept.
  const bool unknown = reader->EntriesOf(id) == nullptr && checkpoint.partitions.count(id) == 0;
  if (unknown) SLUICE_TRY(log.ReplayMode(Durability::kOs));
  const LogConfig wanted = log.config();
  SLUICE_TRY(log.FinishReplay());
  if (unknown && log.size_bytes() == 0) log.SetConfig(wanted);  // nothing in it can be less durable than it should
  if (log.log_start() > log.written_end()) {
    return Status::Error(Code::kCorrupt, log.dir() + " ends at " + std::to_string(log.written_end().v) + ", before its start " + std::to_string(log.log_start().v));
  }
  return Status::Ok();
}

void LogDir::Impl::LoadSome(Opening& opening, size_t begin, size_t end) {
  for (size_t i = begin; i < end; ++i) {
    if (opening.decided[i]) continue;
    do {
      opening.outcomes[i].status = LoadOne(opening.specs[i], &opening.loaded[i]);
    } while (ready && opening.outcomes[i].status.code() == Code::kNoSpace && reserve.Take());
  }
}

// A new partition is durable before it is announced.
void LogDir::Impl::SyncFresh(Opening& opening) {
  std::vector<size_t> fresh;
  for (size_t i = 0; i < opening.specs.size(); ++i) {
    if (opening.loaded[i].fresh && opening.loaded[i].log) fresh.push_back(i);
  }
  Status synced;
  if (fresh.size() > options.new_logs_one_by_one) {
    synced = opening.all_synced = whole_sync.Run();
  } else {
    for (size_t i = 0; i < fresh.size() && synced.ok(); ++i) synced = opening.loaded[fresh[i]].log->SyncNames();
  }
  if (synced.ok()) synced = env.fs->SyncDir(options.path);
  for (size_t i : fresh) {
    if (!synced.ok()) {
      opening.outcomes[i].status = synced;
      if (!opening.loaded[i].made) continue;
      // Or a clean stop would leave a folder behind of which nobody knows what is in it.
      opening.loaded[i].log.reset();
      (void)env.fs->RemoveTree(PartitionDir(opening.specs[i].name));
    } else if (opening.loaded[i].made) {
      opening.loaded[i].log->NamesSynced();
    }
  }
}

bool LogDir::Impl::NameIsBusy(const TopicPartition& name) const {
  return std::any_of(deleted.begin(), deleted.end(), [&](const auto& slot) { return !slot->renamed && slot->log->name() == name; });
}

void LogDir::Impl::ResumeOpenings() {
  std::vector<std::function<void()>> waiting = std::move(waiting_openings);
  waiting_openings.clear();
  for (auto& open : waiting) open();  // which may have to wait again
}

void LogDir::Impl::OpenPartitions(std::vector<PartitionSpec> specs, std::function<void(std::vector<OpenOutcome>)> done) {
  const bool busy = std::any_of(specs.begin(), specs.end(), [this](const PartitionSpec& spec) { return NameIsBusy(spec.name); });
  if (status.ok() && (busy || (finishing && !ready))) {
    waiting_openings.push_back([this, specs = std::move(specs), done = std::move(done)]() mutable { OpenPartitions(std::move(specs), std::move(done)); });
    return;
  }
  auto opening = std::make_shared<Opening>();
  opening->specs = std::move(specs);
  opening->done = std::move(done);
  const size_t count = opening->specs.size();
  opening->outcomes.resize(count);
  opening->decided.resize(count, 0);
  opening->loaded.resize(count);
  size_t left = count;
  for (size_t i = 0; i < count; ++i) {
    const PartitionSpec& spec = opening->specs[i];
    const TopicIdPartition id{spec.id, spec.name.partition};
    OpenOutcome& outcome = opening->outcomes[i];
    if (auto open = slots.find(id); open != slots.end()) {
      outcome.log = open->second->log.get();
    } else if (!status.ok()) {
      outcome.status = status;
    } else if (auto refused = aside.find(id); ready && refused != aside.end() && !refused->second.quarantined.empty()) {
      outcome.status = Status::Error(Code::kCorrupt, refused->second.quarantined);
    } else if (!opening_ids.insert(id).second) {
      outcome.status = Status::Error(Code::kExists, spec.name.ToString() + " is being opened already");
    } else {
      continue;
    }
    opening->decided[i] = 1;
    --left;
  }
  if (left == 0) {
    opening->done(std::move(opening->outcomes));
    return;
  }
  ++openings;
  opening->jobs_left = (count + kPartitionsPerJob - 1) / kPartitionsPerJob;
  for (size_t begin = 0; begin < count; begin += kPartitionsPerJob) {
    const size_t end = std::min(count, begin + kPartitionsPerJob);
    env.pool->Submit(io::MakeJob([this, opening, begin, end] { LoadSome(*opening, begin, end); },
                                 [this, opening] {
                                   if (--opening->jobs_left > 0) return;
                                   const bool names = std::any_of(opening->loaded.begin(), opening->loaded.end(), [](const Loaded& loaded) { return loaded.fresh || !loaded.stray.empty(); });
                                   if (names) {
                                     env.pool->Submit(io::MakeJob([this, opening] { SyncFresh(*opening); }, [this, opening] { TakeUp(*opening); }));
                                   } else {
                                     TakeUp(*opening);
                                   }
                                 }));
  }
}

// A partition that metadata names and that cannot be served. Before recovery has ended, its data must not be lost by going on without it.
void LogDir::Impl::NoteFailedOpen(const PartitionSpec& spec, const Status& why) {
  if (ready) return;  // the outcome says it
  env.reporter->Report(Severity::kError, "partition " + spec.name.ToString() + " stays offline: " + why.ToString());
  if (why.code() == Code::kForeign) return;
  if (IsUnread(why.code())) {
    if (open_failure.ok()) {
      open_failure = Status::Error(why.code(), "partition " + spec.name.ToString() + " cannot be opened: " + why.what(), why.sys_errno());
    }
    return;
  }
  const TopicIdPartition id{spec.id, spec.name.partition};
  Checkpoint::Partition kept;
  if (auto before = checkpoint.partitions.find(id); before != checkpoint.partitions.end()) kept = before->second;
  kept.topic = spec.name.topic;
  if (kept.quarantined.empty()) kept.quarantined = why.ToString();
  aside[id] = std::move(kept);
}

void LogDir::Impl::TakeUp(Opening& opening) {
  --openings;
  if (!opening.all_synced.ok() && opening.all_synced.code() != Code::kNoFiles) {
    Doubts doubts = Unsynced();
    for (const Loaded& loaded : opening.loaded) {
      if (loaded.log && loaded.fresh) doubts.emplace_back(loaded.log->dir(), kEveryStem);   // what says whose it is too
      else if (loaded.log) AddUnsynced(*loaded.log, &doubts);
    }
    Doubt(std::move(doubts));
    TakeOffline(opening.all_synced);
  }
  for (size_t i = 0; i < opening.specs.size(); ++i) {
    if (opening.decided[i]) continue;
    const PartitionSpec& spec = opening.specs[i];
    OpenOutcome& outcome = opening.outcomes[i];
    const TopicIdPartition id{spec.id, spec.name.partition};
    opening_ids.erase(id);
    if (!opening.loaded[i].stray.empty()) {
      env.reporter->Report(Severity::kWarn, PartitionDir(spec.name) + " belonged to another topic: renamed to " + opening.loaded[i].stray);
      if (!ready) report.strays.push_back(spec.name.ToString());
    }
    if (outcome.status.ok() && !status.ok()) outcome.status = status;
    if (ready) NoteLack(outcome.status);
    if (!outcome.status.ok()) {
      NoteFailedOpen(spec, outcome.status);
      continue;
    }
    auto slot = std::make_unique<LogSlot>();
    slot->log = std::move(opening.loaded[i].log);
    slot->id = id;
    slot->internal = IsInternalTopic(spec.name.topic);
    slot->wanted = spec.config.durability;
    if (!ready) unproven |= opening.loaded[i].unproven;
    outcome.log = slot->log.get();
    by_log[outcome.log] = slot.get();
    // No checkpoint names it yet, so only this says where its batches are to be looked for, and that it is durable.
    if (ready) AddControlEntry(EntryKind::kMode, *slot, Offset(static_cast<int64_t>(spec.config.durability)), nullptr);
    slots[id] = std::move(slot);
  }
  if (ready && journal) {
    journal->Seal();
    env.writer->Flush();
  }
  opening.done(std::move(opening.outcomes));
  if (openings == 0 && finish) {
    std::function<void()> now = std::move(finish);
    finish = nullptr;
    now();
  }
  if (on_closed) TryClose();
}

}  // namespace sluice::log
