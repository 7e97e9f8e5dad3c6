// One partition's log: a directory of segments in Kafka's layout, an append path in two steps, reads as file ranges.
//
// An append is staged (validated by the caller, offsets assigned, producer state advanced), then LogDir::Commit writes all that one tick
// staged: one pwritev a log, one journal frame for all logs. What cannot be written is taken back and its waiters fail.
//
// Ends, always in this order:  log_start <= high_watermark <= written_end <= next_offset
//   next_offset     staged, maybe not yet in the segment
//   written_end     in the page cache
//   high_watermark  visible to consumers and answered to producers: durable in fsync mode, written_end in os mode
//   last_stable     min(high_watermark, first offset of an open transaction)
//
// Thread: home thread, but for what SegmentRef and ColdRead say.
// Owns: its segments, indexes, producer state, epochs.
// After error: a failed segment write takes back what was staged and leaves the log usable (kNoSpace) or offline (anything else).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/intrusive_list.h"
#include "base/result.h"
#include "base/types.h"
#include "batch/batch_view.h"
#include "log/config.h"
#include "log/env.h"
#include "log/journal_entry.h"
#include "log/read_mode.h"
#include "log/segment.h"

namespace sluice::log {

class Log;
class WholeSync;
struct CleanView;
struct Replacement;
struct LastOfProducer;

// Waits for the high watermark to reach `target` (one past the last offset). Intrusive: unlinks itself when destroyed.
class OffsetWaiter : public ListNode<struct OffsetWaiterTag> {
 public:
  virtual ~OffsetWaiter() = default;
  virtual void OnReached() = 0;
  virtual void OnFailed(const Status& why) = 0;  // the write was taken back, or the log went offline or was deleted
  Offset target{0};
};

// A write of what a log has staged. Any thread, blocking; keeps everything alive that it needs.
class LogWrite {
 public:
  virtual ~LogWrite() = default;
  virtual void Run() = 0;
  Status status;      // of Run
};

// Told of every advance of the high watermark until unlinked (long polls). OnAdvance may unlink itself and others.
class AdvanceWatcher : public ListNode<struct AdvanceWatcherTag> {
 public:
  virtual ~AdvanceWatcher() = default;
  virtual void OnAdvance(Log& log) = 0;
  virtual void OnGone(Log& log) = 0;  // deleted or offline
};

struct AppendResult {
  Offset base;                    // first offset of the batch (of the original, for a duplicate)
  Offset last;
  TimestampMs log_append_time{-1};  // -1 with CreateTime
  bool duplicate = false;
};

enum class AppendOrigin : uint8_t { kClient, kCoordinator };

// A byte range of a segment file: whole batches. Pins the segment's files while it lives.
struct LogSlice {
  SegmentRef segment;        // shared; keeps the descriptor open though the segment be deleted
  FilePosition position{0};
  int64_t length = 0;        // 0: nothing to read at this offset yet
  Offset first_offset{-1};   // base offset of the first batch
  bool hot = false;          // lately written: expected in the page cache
};

struct TimestampOffset {
  TimestampMs timestamp{-1};
  Offset offset{-1};
  LeaderEpoch epoch{-1};
};

struct EpochEnd {
  LeaderEpoch epoch{-1};
  Offset end{-1};
};

struct AbortedTransaction {
  ProducerId producer;
  Offset first_offset;
};

// A small file whose content is decided at home and written by whoever syncs.
struct PendingFile {
  std::string path;
  std::string content;
};

// What Log::Load is told about the state it finds.
struct LoadState {
  enum class Kind : uint8_t {
    kNew,      // the directory is made
    kClean,    // a clean stop: everything in the files is good
    kScan,     // Kafka's own crash or mode os: scan from the recovery point, end at the first batch that does not hold
    kProven,   // a Sluice checkpoint: `proven` says what holds; ReplayBatch adds to it; FinishReplay cuts the rest
  };
  Kind kind = Kind::kNew;
  Offset recovery_point{0};              // kScan: from recovery-point-offset-checkpoint
  std::optional<Offset> stopped_at;      // kClean: where the log ended when it was stopped, as the same file says
  std::optional<Offset> log_start;       // from log-start-offset-checkpoint
  std::string proven;                    // kProven: what EncodeProven wrote
  bool identified = false;               // partition.metadata has been read and names this topic
};

struct ProducerDescription {
  ProducerId id;
  ProducerEpoch epoch;
  int32_t last_sequence;
  TimestampMs last_timestamp;
  int32_t coordinator_epoch;
  Offset current_txn_start;  // -1 none
};

class Log {
 public:
  // `dir` is the partition's directory. Blocking: called while starting, or on the pool. What is made is not durable yet: SyncNames.
  static Result<std::unique_ptr<Log>> Load(const Env& env, std::string dir, TopicPartition name, TopicId topic_id,
                                           const LogConfig& config, LeaderEpoch epoch, const LoadState& state);
  ~Log();

  // --- what it is
  const TopicPartition& name() const;
  const TopicId& topic_id() const;
  const std::string& dir() const;
  const LogConfig& config() const;
  void SetConfig(const LogConfig& config);  // a change to fsync is completed by LogDir (sync, checkpoint)
  LeaderEpoch leader_epoch() const;
  void SetLeaderEpoch(LeaderEpoch epoch);   // adds to leader-epoch-checkpoint with the next append's offset

  // --- ends
  Offset log_start() const;
  Offset high_watermark() const;
  Offset last_stable() const;
  Offset written_end() const;
  Offset next_offset() const;
  int64_t size_bytes() const;               // of all segments' .log files
  Status offline() const;                   // ok, or why it is not served

  // --- append
  // Stages one validated batch. Stamps base offset, leader epoch and, for LogAppendTime, the timestamp into `batch` in place. `batch` must stay
  // alive and unchanged until the next LogDir::Commit. Fails with the idempotence errors of KIP-98, kTooLarge (segment.bytes), kOffline, kNoSpace.
  Result<AppendResult> Append(MutableBytes batch, AppendOrigin origin, TimestampMs now);
  bool has_staged() const;                  // ... that no Commit has seen yet

  // Step two, called by LogDir::Commit. Writes what is staged; then hands each batch to `journaled` (fsync mode) as a journal entry.
  // Where the disk is full, `make_space` may have given it room: while it says so, it is tried again.
  // On failure everything staged is taken back (offsets, producer state, file length) and waiters beyond written_end fail. Only kWouldBlock leaves staged
  // what a roll comes before: indexes are being written by a sync, and KeepStaged and BeginWrite can wait for that instead.
  Status WriteStaged(const std::function<bool()>& make_space, const std::function<void(const BatchEntry&)>& journaled);
  // Takes back, unwritten, what no Commit has seen yet.
  void RefuseStaged(const Status& why);

  // The same by another thread, for a disk that makes writers wait. KeepStaged copies what is staged; BeginWrite hands out the first part of it that
  // one write can do, or the roll that is due before it (null: nothing is left, or one is under way); then Run() anywhere, FinishWrite at home.
  void KeepStaged();
  int64_t kept_bytes() const;               // copied and not written yet
  std::shared_ptr<LogWrite> BeginWrite();
  // As WriteStaged: on failure everything staged is taken back. Instead of that the same write may be run once more.
  Status FinishWrite(LogWrite& write, const std::function<bool()>& make_space, const std::function<void(const BatchEntry&)>& journaled);
  // The journal (or, in mode os, Commit itself) says: everything below `end` is durable (or written). Wakes waiters and watchers.
  void AdvanceHighWatermark(Offset end);

  // Calls OnReached at once if the target is already reached.
  void Await(OffsetWaiter* waiter);
  void Watch(AdvanceWatcher* watcher);
  // The engine ends: waiters fail, and nothing else happens.
  void Abandon(const Status& why);
  // Fails all waiters and watchers, refuses appends and reads from now on.
  void TakeOffline(Status why);

  // --- read
  // The range of whole batches from the batch that holds `from` up to `max_bytes` (at least one batch if `at_least_one`), ending at `upper`
  // (high_watermark or last_stable). kOffsetOutOfRange outside [log_start, next]; length 0 at the end. kNoWait gives kWouldBlock when an index or batch
  // header is not in memory: then use ColdRead on the pool.
  Result<LogSlice> Read(Offset from, int64_t max_bytes, bool at_least_one, Offset upper, ReadMode mode);
  // A self-contained lookup for the pool thread: pins what it needs, runs without the log.
  std::function<Result<LogSlice>()> ColdRead(Offset from, int64_t max_bytes, bool at_least_one, Offset upper);
  std::vector<AbortedTransaction> AbortedIn(Offset from, Offset upper);

  // ListOffsets. Earliest/latest are the caller's (log_start, high_watermark); these two look into records. Blocking: hand them to the pool where cold.
  std::function<Result<std::optional<TimestampOffset>>()> FindTimestamp(TimestampMs at_least);
  std::function<Result<std::optional<TimestampOffset>>()> FindMaxTimestamp();
  EpochEnd EndOffsetForEpoch(LeaderEpoch epoch) const;      // KIP-101/320: epoch -1, end -1 when unknown
  LeaderEpoch EpochOf(Offset offset) const;                 // -1 unknown
  std::vector<ProducerDescription> Producers() const;

  // --- change
  // Moves the log start up (DeleteRecords); segments wholly below it are deleted after file.delete.delay.ms. kOffsetOutOfRange beyond high_watermark.
  Status SetLogStart(Offset start);
  // What does not wait for retention: files deleted long enough ago go, producer ids expire, idle descriptors are closed.
  void Housekeep(TimestampMs now);
  // Idle descriptors, however short the time since they were used.
  void CloseIdle();
  // Housekeep, then time and size retention. Returns true when the log start moved.
  bool RunRetention(TimestampMs now);
  Status Roll();

  // --- compaction (cleaner.h)
  CleanView ViewForCleaning() const;
  std::unordered_map<int64_t, LastOfProducer> LastOfProducers() const;   // of those still remembered
  Offset active_base() const;
  bool has_sealed() const;               // a segment that might be cleaned
  // From here to EndClean nobody but the cleaner takes segments out of the log. False, and nothing begun, where something below `end` is not synced.
  bool BeginClean(Offset end);
  void EndClean();
  // The files are as the replacement says; from now on reads go to the new segment.
  void Replace(Replacement replacement);

  // --- checkpoints (LogDir)
  // Hands over what must be synced to make everything up to written_end() durable: writes buffered index entries and pending snapshots first.
  struct SyncSet {
    std::vector<SegmentRef> segments;   // all files of each
    std::vector<PendingFile> files;     // producer snapshots, leader epochs: to be written and synced
    std::vector<std::string> dirs;      // directories with new names
    std::string dir;                    // the partition's
    std::string cut_note;               // to be removed then, where there is one
    Offset end{0};                      // what is durable once all are synced
    std::vector<uint64_t> generations;  // of each segment, then of the names: what SyncDone may call clean
    // Does all of it, in this order. Pool thread.
    Status Run(io::FileSystem& fs) const;
  };
  // What makes the batches up to written_end() durable, and where they lie: indexes are made anew from there. Less than a checkpoint wants.
  struct DataSync {
    std::vector<SegmentRef> segments;   // their data
    std::vector<int64_t> sizes;
    std::string dir;
    bool names = false;                 // in the directory, too
    Offset end{0};
    // Pool thread.
    Status Run(io::FileSystem& fs) const;
  };
  Result<DataSync> PrepareDataSync();
  void DataSynced(const DataSync& sync);
  // Run() of many logs, together: with more than `one_by_one` files due the file system is synced whole instead. Any thread.
  static Status SyncTogether(io::FileSystem& fs, WholeSync& whole, std::span<const SyncSet* const> sets, size_t one_by_one);
  Result<SyncSet> PrepareSync();
  // Of a log that was made: whose it is, and the names in its directory. Blocking.
  Status SyncNames();
  // They are durable. An empty log has nothing else that a checkpoint would have to sync; its other files are made with its first records, or at a clean stop.
  void NamesSynced();
  bool dirty() const;                    // something written since the last SyncDone
  std::string DirtyStems() const;        // of the segments for which that is so, as NoteFailedSync wants them
  // Of the directory's names. Where it has been synced since they were of this generation, what has left the log need not wait for a checkpoint.
  uint64_t names_generation() const;
  void NamesSyncedTo(uint64_t generation);
  bool has_detached() const;             // segments that are no longer part of it, and keep their files until SyncDone or NamesSyncedTo
  void SyncDone(const SyncSet& set);     // recovery_point moves
  Offset recovery_point() const;
  // The state at written_end, for the checkpoint; LoadState::proven is this string.
  void EncodeProven(std::string* out);

  // --- recovery (kProven), in journal order
  Status ReplayBatch(const BatchEntry& entry);       // skips what is below log start; writes only what differs; kCorrupt on a gap
  Status ReplayLogStart(Offset start);
  // The segment files were synced up to `end` (a large batch that skipped the journal, or a change from os to fsync): reads the batches from the
  // proven end on, checks CRC and offsets, and takes them as proven. kCorrupt when they do not reach `end`. Implies mode fsync from here on.
  Status ReplaySynced(Offset end);
  // The log changed its durability here. FinishReplay cuts (fsync) or scans on (os) by the last mode seen: EncodeProven's, else the config's.
  Status ReplayMode(Durability mode);
  // Cuts what nothing proves; high watermark = end. From here on config().durability is the mode that was found, whatever Load was told.
  Status FinishReplay();
  // FinishReplay cut off what nothing proves. Until that is synced it may come back with a power cut, and look as good as what was written in its place.
  bool repaired() const;

  // Clean stop, in two steps around the syncs of many logs: rolls nothing, trims indexes, makes the producer snapshot at the end; then closes.
  Result<SyncSet> PrepareClose();
  void FinishClose(const SyncSet& synced);
  // Both, for one log.
  Status CloseClean();
  // Renames the directory to <topic>-<partition>.<uuid>-delete as Kafka does. The caller removes it after the delay.
  Status Delete();
  // As long as one of these lives, somebody may read a file in the directory.
  std::vector<std::weak_ptr<const void>> Readers() const;

 private:
  struct Impl;
  explicit Log(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::log
