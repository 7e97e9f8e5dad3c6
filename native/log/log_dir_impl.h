// The inside of LogDir, shared by its .cc files: open and recover, commit, checkpoint, close.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "log/checkpoint_store.h"
#include "log/doubt.h"
#include "log/journal.h"
#include "log/journal_reader.h"
#include "log/kafka_files.h"
#include "log/log_dir.h"
#include "log/log_dir_jobs.h"
#include "log/space_reserve.h"

namespace sluice::log {

// The folder of journal and checkpoint. Its name has no partition number, so that Kafka refuses the directory while the journal is needed.
inline constexpr char kJournalFolder[] = "journal.sluice";
inline constexpr char kReserveName[] = "reserve";

// A log and what LogDir keeps beside it. Lives until the journal and everything under way have let go of it.
struct LogSlot {
  std::unique_ptr<Log> log;
  TopicIdPartition id;
  bool internal = false;        // of the broker itself: may use what is reserved
  bool staged = false;          // in staged of this tick
  int64_t kept_bytes = 0;       // of the log, as counted in that of all
  bool deleted = false;
  bool renamed = false;         // deleted, and its folder has made room for another of that name
  size_t users = 0;             // checkpoints, syncs and cleanings under way that touch its files
  uint64_t journaled = 0;       // the last frame of the journal that has something of it
  Offset proven_base{-1};       // of the active segment that the last durable checkpoint names
  bool syncing = false;         // batches are made durable by syncing the segment, not through the journal, until this ends
  bool sync_running = false;    // ... a sync is under way
  bool freeing = false;         // its directory is being synced, so that what has left the log may go
  bool sync_waits = false;      // ... the disk is full; tried again by the timer
  Offset sync_target{0};        // ... up to here
  std::vector<std::function<void(Status)>> on_synced;  // called when a sync that covers everything written is durable
  Durability wanted = Durability::kFsync;              // what the configuration says; the log's own is what holds now
  bool changing = false;                               // from the one to the other
  bool softening = false;                              // ... to os: the journal says so already, answers do not go by it yet
  Offset soft_end{0};                                  // records below were answered in mode os and are not known to be durable yet
  std::vector<std::function<void(Status)>> on_mode;    // told when the log's mode is the wanted one
  std::function<void(Status)> on_deleted;
};

struct LogDir::Impl {
  Impl(const Env& e, LogDirOptions o);
  ~Impl();
  static Env With(Env env, LogDirJobs* pool, LogDirJobs* appender, Sweeper* sweeper) {
    env.pool = pool;
    env.appender = env.appender == nullptr ? pool : appender;
    env.sweeper = sweeper;
    return env;
  }

  // --- open and recover (log_dir_open.cc, log_dir_load.cc, log_dir_recovery.cc)
  struct Opening;
  Status Open();
  Status CheckIdentity();
  Status ReadState();
  Status EndOldJournal();
  struct Loaded {
    std::unique_ptr<Log> log;
    bool made = false;
    bool fresh = false;          // its names may not be durable: made now, or by a start that came no further
    std::string stray;           // a folder of this name was set aside: what it is called now
    bool unproven = false;       // neither the checkpoint nor the journal says what is in it, so replay would not find it again
  };
  Status LoadOne(const PartitionSpec& spec, Loaded* loaded);                    // pool thread
  Status ChooseState(const PartitionSpec& spec, LoadState* state, bool* replays);  // pool thread
  Status FindLogStart(const TopicIdPartition& id, LoadState* state);            // pool thread
  Status Replay(Log& log, const TopicIdPartition& id);                          // pool thread
  void OpenPartitions(std::vector<PartitionSpec> specs, std::function<void(std::vector<OpenOutcome>)> done);
  void LoadSome(Opening& opening, size_t begin, size_t end);                    // pool thread
  void SyncFresh(Opening& opening);                                             // pool thread
  void TakeUp(Opening& opening);
  void NoteFailedOpen(const PartitionSpec& spec, const Status& why);
  bool NameIsBusy(const TopicPartition& name) const;
  void ResumeOpenings();
  void FinishRecovery(bool keep_unknown, std::function<void(Result<RecoveryReport>)> done);
  void BeginJournal(std::function<void(Result<RecoveryReport>)> done);
  struct Beginning;
  Status PrepareJournal(Beginning& begin);                                      // pool thread
  Status RemoveCleanMark();                                                     // pool thread
  void TakeOver(const std::shared_ptr<Beginning>& begin);
  void EndRecovery(std::function<void(Result<RecoveryReport>)> done);
  void RetireOldJournal();
  // Folders that nobody opened, and deletions that a stop cut short. Pool thread.
  Status LookAround(Beginning& begin);
  Status LeaveAlone(const TopicPartition& name);                                // pool thread

  // --- ticks (log_dir_commit.cc)
  void Commit();
  void WriteLog(LogSlot& slot);
  void TellJournal(LogSlot& slot, const BatchEntry& batch);
  void AfterWrite(LogSlot* slot);
  int64_t ClientRoom() const;
  bool JournalFull() const;      // for clients
  void StartSegmentSync(LogSlot* slot);
  void FinishSegmentSync(LogSlot* slot, const Log::DataSync& sync, const Status& result);
  class DurableWaiter;
  void WhenDurable(Log* log, Offset end, std::function<void(Status)> done);
  // Goes out with the next Commit.
  void AddControlEntry(EntryKind kind, LogSlot& slot, Offset value, void* owner);
  void OnTimer();
  void RunDuties();
  bool HasRoom() const;
  void NoticeRoom();
  void TakeOffline(const Status& why);
  // A sync of the whole file system has failed: the pages that were lost may be any log's, also of those that were not to be synced.
  Doubts Unsynced() const;
  static void AddUnsynced(const Log& log, Doubts* doubts);
  void Doubt(Doubts doubts);
  LogSlot* SlotOf(Log* log);

  // --- ticks on a disk that makes writers wait (log_dir_slow.cc)
  // Behind what the appender has not written yet nobody else may write.
  bool Slow(const LogSlot& slot) const { return slow_until_us > 0 || slot.log->kept_bytes() > 0; }
  void NoteWrite(int64_t bytes, int64_t took_us);
  void LookWhetherSlow(int64_t now_us);
  void KeepAndWrite(LogSlot* slot);
  void StartWrite(LogSlot* slot);
  void SubmitWrite(LogSlot* slot, std::shared_ptr<LogWrite> write);
  void FinishWrite(LogSlot* slot, const std::shared_ptr<LogWrite>& write, int64_t took_us);
  void CountKept(LogSlot& slot);
  int64_t dirty_bytes() const { return appended_bytes - clean_bytes; }

  // --- changes of one partition (log_dir_change.cc)
  void SetConfig(Log* log, const LogConfig& config, std::function<void(Status)> done);
  void AdvanceMode(LogSlot* slot);
  void Harden(LogSlot* slot, Offset soft_end);
  void DeletePartition(const TopicIdPartition& id, std::function<void(Status)> done);
  void DeleteQuarantined(const TopicIdPartition& id, std::function<void(Status)> done);
  void RenameDeleted(LogSlot* slot);
  void Unuse(LogSlot* slot);
  void ReleaseDeleted();
  void RemoveFolders();
  void DeleteRecords(Log* log, Offset start, std::function<void(Result<Offset>)> done);

  // --- checkpoints (log_dir_checkpoint.cc)
  // Cuts at the next moment when nothing is staged and none runs, and writes in the background; `done` when it is durable.
  void StartCheckpoint(std::function<void(Status)> done);
  void BeginCheckpoint();
  bool CheckpointDue() const;
  bool IdleCheckpointDue();
  struct CheckpointRun;
  struct TakenLog;
  void TakeLogs();
  Status TakeLog(CheckpointRun& run, TakenLog& taken);
  void FinishCheckpoint(const std::shared_ptr<CheckpointRun>& run);

  // --- compaction (cleaner.cc), and the check of what lies there (scrubber.cc)
  class Cleaner;
  class Scrubber;

  // --- full disks (log_dir_space.cc)
  bool RoomForTwoJournals();
  int64_t WantedReserve(int64_t journal_capacity) const;   // any thread
  // From now on clients' batches are refused, until CheckSpace finds room beside the reserve.
  void NoteFull();
  void NoteLack(const Status& what);  // of anything that failed; other failures are not noted
  // After a full disk refused something that must not fail: true if it should be tried again.
  bool MakeSpace();
  template <class Try>
  auto WithSpace(Try attempt) -> decltype(attempt()) {
    for (;;) {
      auto result = attempt();
      if (result.ok() || result.code() != Code::kNoSpace || !MakeSpace()) return result;
    }
  }
  void FreeDetached(LogSlot* slot);
  void CheckSpace();

  // --- stop (log_dir_close.cc)
  void CloseClean(std::function<void(Status)> done);
  void TryClose();
  Status CloseLogs();

  std::string PathOf(const std::string& name) const { return options.path + "/" + name; }
  std::string PartitionDir(const TopicPartition& name) const { return PathOf(name.ToString()); }
  std::string JournalDir() const { return PathOf(kJournalFolder); }

  LogDirJobs jobs, appender_jobs;
  const Env env;                 // its pool is `jobs`, its appender one of the two
  Sweeper sweeper;
  LogDirOptions options;
  SpaceReserve reserve;          // pool jobs use these two: they end before them
  WholeSync whole_sync;
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
  JournalMark begin_mark;                 // where the journal of this life begins
  OffsetsByPartition recovery_points, log_starts;

  RecoveryReport report;
  std::unique_ptr<Journal> journal;
  std::vector<std::string> old_journal;   // files of earlier incarnations, needed until a checkpoint of this one is durable
  bool retiring = false;                  // they are being removed
  std::atomic<int64_t> old_journal_bytes = 0;
  std::unique_ptr<Cleaner> cleaner;
  std::unique_ptr<Scrubber> scrubber;
  std::unordered_map<TopicIdPartition, std::unique_ptr<LogSlot>> slots;
  std::unordered_map<Log*, LogSlot*> by_log;
  // Partitions that are in every checkpoint as they are: found damaged and refused, or opened by nobody in this life.
  std::unordered_map<TopicIdPartition, Checkpoint::Partition> aside;
  OffsetsByPartition unopened_points, unopened_starts;   // of folders that nobody opened, for the clean stop
  std::vector<std::unique_ptr<LogSlot>> deleted;         // waiting to be renamed, then to be released
  struct DoomedFolder {
    std::string path;
    int64_t due_us = 0;
    std::vector<std::weak_ptr<const void>> readers = {};
    bool is_read() const;
  };
  std::vector<DoomedFolder> doomed;

  std::unordered_set<TopicIdPartition> opening_ids;
  size_t openings = 0;                                   // under way
  std::vector<std::function<void()>> waiting_openings;   // until a name is free or recovery is finished
  Status open_failure;                                   // the disk failed while a partition was opened: recovery must not end
  bool unproven = false;                                 // a log of which replay knows nothing: a checkpoint comes before the first append
  bool finishing = false;
  bool keeps_unknown = false;
  std::function<void()> finish;                          // waits for openings

  bool disk_full = false;        // clients' batches are refused
  bool out_of_files = false;     // until a checkpoint has let descriptors be closed
  bool checking_space = false;
  bool checkpoint_refused = false;                       // said already
  std::atomic<int64_t> partition_count = 0;              // what WantedReserve goes by

  std::vector<LogSlot*> staged;
  std::vector<LogSlot*> spare_list;
  bool writing = false;          // staged batches are being written
  int64_t client_room = 0;       // what this Commit may still put into the journal for clients
  size_t commit_depth = 0;
  int64_t slow_until_us = 0;     // not 0: the appender writes segments
  size_t appender_writes = 0;    // under way
  int64_t kept_bytes = 0;        // copied for the appender
  int64_t appended_bytes = 0;    // since the start, to all logs
  int64_t clean_bytes = 0;       // ... of which a checkpoint has synced so many
  int64_t beside_journal_bytes = 0;   // synced in their segments since the last checkpoint: a start reads them there
  int64_t dirty_budget = INT64_MAX;

  std::shared_ptr<CheckpointRun> running_checkpoint;
  bool taking_logs = false;          // it is at the logs, a few at a time
  std::vector<std::function<void(Status)>> next_checkpoint;   // who asked for one that has not begun
  int64_t last_checkpoint_us = 0;
  int64_t checkpoint_again_us = 0;   // not before, after a full disk refused one
  int64_t last_duties_us = 0;
  int64_t next_retention_us = -1;   // -1: not known yet
  size_t segment_syncs = 0;          // in flight
  int64_t checkpoints = 0;
  std::function<void()> on_room;
  bool had_room = true;

  std::function<void(Status)> on_closed;
  bool close_waits = false;
};

}  // namespace sluice::log
