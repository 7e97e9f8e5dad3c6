// A log directory: its lock, identity and Kafka's checkpoint files, the journal, all its partitions' logs, and the order in which they
// become durable. One per engine.
//
// Start:   Open -> OpenPartitions of __cluster_metadata-0 -> (the control plane reads it) -> OpenPartitions of all others -> FinishRecovery.
//          Appends are refused (kOffline) until FinishRecovery is done.
// A tick:  Log::Append ... Log::Append -> Commit -> (later) the journal completes and high watermarks advance.
// Stop:    CloseClean, or nothing at all (kill -9, power cut).
//
// Thread: home thread. Blocking work goes to env.pool.
// Owns: the logs and the journal.
// After error: a failed journal takes the directory offline (status() tells): every log fails its waiters and refuses appends.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "io/async_writer.h"
#include "log/config.h"
#include "log/env.h"
#include "log/journal_format.h"
#include "log/log.h"
#include "log/sweeper.h"

namespace sluice::log {

// log.cleaner.*: how compaction works. Memory is for all of its threads together.
struct CleanerOptions {
  bool enabled = true;
  int32_t threads = 1;
  int64_t map_bytes = 134217728;      // dedupe.buffer.size
  double load_factor = 0.9;           // io.buffer.load.factor
  int64_t buffer_bytes = 524288;      // io.buffer.size
  double max_bytes_per_second = 1.7976931348623157e308;
  int64_t backoff_ms = 15000;
};

// sluice.scrub.*: how sealed segments are read again.
struct ScrubOptions {
  int64_t bytes_per_second = 8 << 20;   // 0: never
  int64_t interval_ms = 604800000;      // from the beginning of one round to that of the next
};

struct LogDirOptions {
  std::string path;
  std::string cluster_id;     // empty: take meta.properties' or make one
  int32_t node_id = 1;
  std::string directory_id;   // empty: take meta.properties' or make one
  int64_t journal_bytes = 512ll << 20;
  int64_t retention_check_ms = 1000;   // log.retention.check.interval.ms
  int64_t retention_delay_ms = 0;      // log.initial.task.delay.ms: before the first check
  size_t logs_at_once = 256;           // that a checkpoint looks at before appends have their turn again: some 300 us
  size_t syncs_one_by_one = 64;        // files due at once; of more the whole file system is synced, twice, which is cheaper
  size_t new_logs_one_by_one = 16;     // of more new logs at once likewise
  int64_t beside_journal_bytes = kBesideJournalBytes;   // at most kJournalMaxBatch
  int64_t removal_piece_bytes = Sweeper::kPieceBytes;   // of files that retention deletes
  CleanerOptions cleaner;
  ScrubOptions scrub;
  bool embedded = false;      // an engine inside a program: folders of other topic ids are left alone, never set aside
};

struct PartitionSpec {
  TopicPartition name;
  TopicId id;
  LeaderEpoch epoch{0};
  LogConfig config;
};

struct OpenOutcome {
  Status status;              // not ok: the partition stays offline, the others go on
  Log* log = nullptr;
};

struct RecoveryReport {
  bool clean = true;
  int64_t journal_bytes_read = 0;
  int64_t incarnations = 0;          // lives of the journal that were replayed: more than one when a crash came before the first checkpoint
  int64_t entries_replayed = 0;
  int64_t entries_skipped = 0;
  int64_t bytes_scanned = 0;
  std::vector<std::string> strays;   // folders renamed to -stray
};

struct LogDirStats {
  int64_t journal_capacity = 0, journal_used = 0, journal_writes = 0, journal_bytes = 0, checkpoints = 0;
  int64_t partitions = 0;
  int64_t cleanings = 0;   // of compacted logs, since the start
  int64_t scrubbed_bytes = 0, scrub_damages = 0;   // since the start
};

class LogDir {
 public:
  // Takes the lock, checks meta.properties, reads checkpoint and journal. Blocking. kLocked, kForeign, kCorrupt with one clear line.
  static Result<std::unique_ptr<LogDir>> Open(const Env& env, const LogDirOptions& options);
  ~LogDir();

  const std::string& path() const;
  const std::string& cluster_id() const;
  const std::string& directory_id() const;
  bool was_clean() const;
  bool direct_io() const;     // false where the file system refuses O_DIRECT
  Status status() const;
  bool ready() const;         // FinishRecovery is done: appends may come

  // Opens or makes logs on the pool, replaying the journal's entries for each; `done` runs on the home thread with one outcome per spec, in order.
  // A partition made now is durable (directory, partition.metadata) when `done` runs. Once the directory is ready only new ones are made: a folder
  // that stands in their way is set aside. Calls during FinishRecovery, or for a name that is being deleted, wait for its end.
  void OpenPartitions(std::vector<PartitionSpec> specs, std::function<void(std::vector<OpenOutcome>)> done);
  // All partitions that metadata names are open: sets aside folders that nobody opened (unless `keep_unknown`) and begins a new incarnation of the
  // journal. After a crash it stands beside the old one until the first checkpoint, which runs in the background: what was recovered is proven by the
  // old files, what is appended from now on by the new ones. Fails, with everything left for the next start, where a partition could not be opened because
  // the disk is full or fails.
  void FinishRecovery(bool keep_unknown, std::function<void(Result<RecoveryReport>)> done);

  Log* Find(const TopicIdPartition& id) const;
  std::vector<Log*> Logs() const;
  // Deletes a partition's log: entry in the journal, directory renamed, files gone after the delay. `done` when it is durable, or with the failure.
  void DeletePartition(const TopicIdPartition& id, std::function<void(Status)> done);
  // A new configuration; a change of durability is effective when `done` runs (to fsync: synced and journaled); before FinishRecovery
  // that is where it becomes so.
  void SetConfig(Log* log, const LogConfig& config, std::function<void(Status)> done);
  void SetCleaner(const CleanerOptions& options);
  // DeleteRecords: moves the start; `done` with the new start when it is durable.
  void DeleteRecords(Log* log, Offset start, std::function<void(Result<Offset>)> done);

  // Calls back once everything of the log below `end` survives a power cut, whatever its mode: in mode os after the next sync.
  void WhenDurable(Log* log, Offset end, std::function<void(Status)> done);
  // A log that has something staged says so, once per tick.
  void MarkStaged(Log* log);
  // False while the journal is full or far behind: whoever appends for clients waits (stops executing Produce) until OnRoom's callback runs.
  // Appends that come all the same are taken, never refused.
  bool HasRoom() const;
  void OnRoom(std::function<void()> callback);   // one callback, kept; runs on each change from no room to room
  // End of a tick: writes every staged log, sends one journal write for all of them, enters the kernel once. Cheap when nothing is staged.
  void Commit();
  // Retention, rolls by time, delayed file deletion, checkpoint pacing; call about every kTimerUs.
  void OnTimer();

  // Syncs everything, writes Kafka's checkpoints and snapshots, removes the journal, writes .kafka_cleanshutdown last. `done` once; then destroy.
  void CloseClean(std::function<void(Status)> done);

  LogDirStats stats() const;
  // Of the journal.
  io::WriteTimes write_times(int64_t now_us) const;

 private:
  struct Impl;
  explicit LogDir(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::log
