#include "log/log_dir.h"

#include "base/assert.h"
#include "log/log_dir_impl.h"

namespace sluice::log {

LogDir::Impl::~Impl() {
  *alive = false;
  // The kernel still reads the frames in flight, and their completions still name this journal.
  if (journal) env.writer->Drain();
}

LogDir::LogDir(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LogDir::~LogDir() = default;

Result<std::unique_ptr<LogDir>> LogDir::Open(const Env& env, const LogDirOptions& options) {
  auto impl = std::make_unique<Impl>(env, options);
  SLUICE_TRY(impl->Open());
  return std::unique_ptr<LogDir>(new LogDir(std::move(impl)));
}

const std::string& LogDir::path() const { return impl_->options.path; }
const std::string& LogDir::cluster_id() const { return impl_->identity.cluster_id; }
const std::string& LogDir::directory_id() const { return impl_->identity.directory_id; }
bool LogDir::was_clean() const { return impl_->clean || impl_->first_start; }
bool LogDir::direct_io() const { return impl_->alignment != 0; }
Status LogDir::status() const { return impl_->status; }
bool LogDir::ready() const { return impl_->ready; }

void LogDir::OpenPartitions(std::vector<PartitionSpec> specs, std::function<void(std::vector<OpenOutcome>)> done) {
  impl_->OpenPartitions(std::move(specs), std::move(done));
}
void LogDir::FinishRecovery(bool keep_unknown, std::function<void(Result<RecoveryReport>)> done) {
  impl_->FinishRecovery(keep_unknown, std::move(done));
}

Log* LogDir::Find(const TopicIdPartition& id) const {
  auto it = impl_->slots.find(id);
  return it == impl_->slots.end() ? nullptr : it->second->log.get();
}

std::vector<Log*> LogDir::Logs() const {
  std::vector<Log*> logs;
  logs.reserve(impl_->slots.size());
  for (const auto& [id, slot] : impl_->slots) logs.push_back(slot->log.get());
  return logs;
}

void LogDir::MarkStaged(Log* log) {
  LogSlot* slot = impl_->SlotOf(log);
  if (slot == nullptr || slot->staged) return;
  slot->staged = true;
  impl_->staged.push_back(slot);
}
void LogDir::Commit() { impl_->Commit(); }
void LogDir::OnTimer() { impl_->OnTimer(); }
bool LogDir::HasRoom() const { return impl_->HasRoom(); }
void LogDir::OnRoom(std::function<void()> callback) { impl_->on_room = std::move(callback); }

void LogDir::DeletePartition(const TopicIdPartition& id, std::function<void(Status)> done) {
  auto it = impl_->slots.find(id);
  if (it == impl_->slots.end()) {
    done(Status::Error(Code::kNotFound, "no such partition"));
    return;
  }
  impl_->Commit();  // what this tick staged goes first, so that the entries of the log stay in order
  std::unique_ptr<LogSlot> slot = std::move(it->second);
  impl_->slots.erase(it);
  impl_->by_log.erase(slot->log.get());
  slot->deleted = true;
  slot->log->TakeOffline(Status::Error(Code::kNotFound, slot->log->name().ToString() + " was deleted"));
  impl_->AddControlEntry(EntryKind::kDeleted, *slot, Offset(0), nullptr);
  Status renamed = slot->log->Delete();
  impl_->deleted.push_back(std::move(slot));
  if (!renamed.ok() || !impl_->journal) {
    done(renamed);
    return;
  }
  impl_->journal->WhenDurable([done = std::move(done)] { done(Status::Ok()); });
}

void LogDir::SetConfig(Log* log, const LogConfig& config, std::function<void(Status)> done) {
  LogSlot* slot = impl_->SlotOf(log);
  if (slot == nullptr) {
    done(Status::Error(Code::kNotFound, "no such partition"));
    return;
  }
  impl_->Commit();
  const Durability before = log->config().durability;
  log->SetConfig(config);
  if (before == config.durability || !impl_->ready) {
    done(Status::Ok());
    return;
  }
  if (config.durability == Durability::kOs) {
    impl_->AddControlEntry(EntryKind::kMode, *slot, Offset(static_cast<int64_t>(Durability::kOs)), nullptr);
    impl_->journal->WhenDurable([done = std::move(done)] { done(Status::Ok()); });
    return;
  }
  // From os to fsync: what is in the page cache is synced first; until that is journaled, new batches are synced the same way.
  slot->sync_target = log->written_end();
  slot->on_synced.push_back(std::move(done));
  if (!slot->syncing) {
    slot->syncing = true;
    impl_->StartSegmentSync(slot);
  }
}

void LogDir::DeleteRecords(Log* log, Offset start, std::function<void(Result<Offset>)> done) {
  LogSlot* slot = impl_->SlotOf(log);
  if (slot == nullptr || !impl_->journal) {
    done(Status::Error(Code::kNotFound, "no such partition"));
    return;
  }
  Status moved = log->SetLogStart(start);
  if (!moved.ok()) {
    done(moved);
    return;
  }
  Offset now = log->log_start();
  impl_->AddControlEntry(EntryKind::kLogStart, *slot, now, nullptr);
  impl_->journal->WhenDurable([done = std::move(done), now] { done(now); });
}

void LogDir::WhenDurable(Log* log, Offset end, std::function<void(Status)> done) {
  impl_->WhenDurable(log, end, std::move(done));
}

void LogDir::CloseClean(std::function<void(Status)> done) { impl_->CloseClean(std::move(done)); }

LogDirStats LogDir::stats() const {
  LogDirStats stats;
  stats.partitions = static_cast<int64_t>(impl_->slots.size());
  stats.checkpoints = impl_->checkpoints;
  if (impl_->journal) {
    stats.journal_capacity = impl_->journal->capacity_bytes();
    stats.journal_used = impl_->journal->used_bytes();
    stats.journal_writes = impl_->journal->writes();
    stats.journal_bytes = impl_->journal->bytes_written();
  }
  return stats;
}

}  // namespace sluice::log
