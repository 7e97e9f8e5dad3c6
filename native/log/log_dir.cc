#include "log/log_dir.h"

#include "base/assert.h"
#include "log/cleaner.h"
#include "log/log_dir_impl.h"
#include "log/scrubber.h"

namespace sluice::log {

LogDir::Impl::Impl(const Env& e, LogDirOptions o)
    : jobs(e.pool), appender_jobs(e.appender), env(With(e, &jobs, &appender_jobs, &sweeper)), sweeper(env, o.removal_piece_bytes), options(std::move(o)), reserve(*e.fs, JournalDir(), kReserveName), whole_sync(e.fs, options.path), cleaner(std::make_unique<Cleaner>(*this, options.cleaner)),
      scrubber(std::make_unique<Scrubber>(*this, options.scrub)) {}

LogDir::Impl::~Impl() {
  // Jobs first: none of them may name what goes now. Then the kernel's: it still reads the frames in flight.
  jobs.Close();
  appender_jobs.Close();
  if (journal) env.writer->Drain();
  // Whoever waits hears of it while everything is still there.
  if (status.ok()) status = Status::Error(Code::kClosed, "log directory " + options.path + " is closed");
  std::vector<std::function<void(Status)>> waiting = std::move(next_checkpoint);
  const auto gather = [&waiting](LogSlot& slot) {
    for (auto* list : {&slot.on_synced, &slot.on_mode}) {
      for (auto& done : *list) waiting.push_back(std::move(done));
      list->clear();
    }
    if (slot.on_deleted) waiting.push_back(std::move(slot.on_deleted));
    slot.on_deleted = nullptr;
  };
  std::vector<Log*> logs;
  for (auto& [id, slot] : slots) {
    gather(*slot);
    logs.push_back(slot->log.get());
  }
  for (auto& slot : deleted) gather(*slot);
  for (Log* log : logs) log->TakeOffline(status);
  if (on_closed) waiting.push_back(std::move(on_closed));
  on_closed = nullptr;
  for (auto& done : waiting) done(status);
  journal.reset();
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
  SLUICE_ASSERT(impl_->journal);  // appends before recovery is finished are the caller's to refuse
  slot->staged = true;
  impl_->staged.push_back(slot);
}
void LogDir::Commit() { impl_->Commit(); }
void LogDir::OnTimer() { impl_->OnTimer(); }
bool LogDir::HasRoom() const { return impl_->HasRoom(); }
void LogDir::OnRoom(std::function<void()> callback) { impl_->on_room = std::move(callback); }

void LogDir::DeletePartition(const TopicIdPartition& id, std::function<void(Status)> done) { impl_->DeletePartition(id, std::move(done)); }
void LogDir::SetConfig(Log* log, const LogConfig& config, std::function<void(Status)> done) { impl_->SetConfig(log, config, std::move(done)); }
void LogDir::SetCleaner(const CleanerOptions& options) { impl_->cleaner->SetOptions(options); }
void LogDir::DeleteRecords(Log* log, Offset start, std::function<void(Result<Offset>)> done) {
  impl_->DeleteRecords(log, start, std::move(done));
}
void LogDir::WhenDurable(Log* log, Offset end, std::function<void(Status)> done) {
  impl_->WhenDurable(log, end, std::move(done));
}

void LogDir::CloseClean(std::function<void(Status)> done) { impl_->CloseClean(std::move(done)); }

io::WriteTimes LogDir::write_times(int64_t now_us) const { return impl_->journal ? impl_->journal->write_times(now_us) : io::WriteTimes(); }

LogDirStats LogDir::stats() const {
  LogDirStats stats;
  stats.partitions = static_cast<int64_t>(impl_->slots.size());
  stats.checkpoints = impl_->checkpoints;
  stats.scrubbed_bytes = impl_->scrubber->bytes();
  stats.scrub_damages = impl_->scrubber->damaged();
  stats.cleanings = impl_->cleaner->runs();
  if (impl_->journal) {
    stats.journal_capacity = impl_->journal->capacity_bytes();
    stats.journal_used = impl_->journal->used_bytes();
    stats.journal_writes = impl_->journal->writes();
    stats.journal_bytes = impl_->journal->bytes_written();
  }
  return stats;
}

}  // namespace sluice::log
