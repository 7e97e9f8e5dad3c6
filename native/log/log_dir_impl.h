// The inside of LogDir, shared by its .cc files: open and recover, commit, checkpoint, close.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "log/checkpoint_store.h"
#include "log/journal.h"
#include "log/journal_reader.h"
#include "log/kafka_files.h"
#include "log/log_dir.h"

namespace sluice::log {

// The folder of journal and checkpoint. Its name has no partition number, so that Kafka refuses the directory while the journal is needed.
inline constexpr char kJournalFolder[] = "journal.sluice";

// A log and what LogDir keeps beside it. Lives until the journal and any checkpoint have let go of it.
struct LogSlot {
  std::unique_ptr<Log> log;
  TopicIdPartition id;
  bool staged = false;          // in staged_ of this tick
  bool deleted = false;
  bool syncing = false;         // batches are made durable by syncing the segment, not through the journal, until this ends
  Offset sync_target{0};        // ... up to here
  std::vector<std::function<void(Status)>> on_synced;  // called when a sync that covers everything written is durable
};

struct LogDir::Impl {
  Impl(const Env& e, LogDirOptions o) : env(e), options(std::move(o)) {}
  ~Impl();

  // --- open and recover (log_dir_open.cc, log_dir_recovery.cc)
  Status Open();
  Status CheckIdentity();
  Status ReadState();
  Result<std::unique_ptr<Log>> LoadOne(const PartitionSpec& spec, bool* made);  // pool thread
  Status Replay(Log& log, const TopicIdPartition& id);                          // pool thread
  void OpenPartitions(std::vector<PartitionSpec> specs, std::function<void(std::vector<OpenOutcome>)> done);
  void FinishRecovery(bool keep_unknown, std::function<void(Result<RecoveryReport>)> done);
  Status SetStraysAside(const std::unordered_set<std::string>& known, bool keep_unknown, std::vector<std::string>* strays);  // pool thread

  // --- ticks (log_dir_commit.cc)
  void Commit();
  void CommitLog(LogSlot& slot);
  void StartSegmentSync(LogSlot* slot);
  void WhenDurable(Log* log, Offset end, std::function<void(Status)> done);
  void AddControlEntry(EntryKind kind, LogSlot& slot, Offset value, void* owner);
  void OnTimer();
  bool HasRoom() const;
  void NoticeRoom();
  void TakeOffline(const Status& why);
  void ReleaseDeleted();
  LogSlot* SlotOf(Log* log);

  // --- checkpoints (log_dir_checkpoint.cc)
  // Cuts now and writes in the background; `done` when it is durable. A request during a run starts another behind it.
  void StartCheckpoint(std::function<void(Status)> done);
  bool JournalCrowded() const;
  bool IdleCheckpointDue();
  struct CheckpointRun;
  void FinishCheckpoint(const std::shared_ptr<CheckpointRun>& run);

  // --- stop (log_dir_close.cc)
  void CloseClean(std::function<void(Status)> done);
  void TryClose();
  Status CloseLogs();

  std::string PartitionDir(const TopicPartition& name) const { return options.path + "/" + name.ToString(); }
  std::string JournalDir() const { return options.path + "/" + kJournalFolder; }

  const Env env;
  LogDirOptions options;
  MetaProperties identity;
  std::unique_ptr<io::FileLock> lock;
  uint32_t alignment = 0;
  Status status;
  bool ready = false;
  bool clean = false;            // a clean stop came before
  bool recovering = false;       // a checkpoint of ours is here
  bool first_start = false;

  // What recovery reads; immutable while pool threads load partitions, dropped when recovery is finished.
  Checkpoint checkpoint;
  std::unique_ptr<JournalReader> reader;
  OffsetsByPartition recovery_points, log_starts;

  RecoveryReport report;
  uint64_t incarnation = 1;
  std::unique_ptr<Journal> journal;
  std::unordered_map<TopicIdPartition, std::unique_ptr<LogSlot>> slots;
  std::unordered_map<Log*, LogSlot*> by_log;
  std::unordered_map<TopicIdPartition, Checkpoint::Partition> quarantined;   // found damaged: kept as they are, refused at every start
  std::vector<std::unique_ptr<LogSlot>> deleted;   // waiting to be released
  std::vector<LogSlot*> staged;
  std::vector<LogSlot*> committing;

  std::shared_ptr<CheckpointRun> running_checkpoint;
  std::vector<std::function<void(Status)>> next_checkpoint;   // asked for while one ran
  int64_t last_checkpoint_us = 0;
  int64_t last_retention_us = 0;
  size_t segment_syncs = 0;       // in flight
  int64_t checkpoints = 0;
  std::function<void()> on_room;
  bool had_room = true;

  std::function<void(Status)> on_closed;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

}  // namespace sluice::log
