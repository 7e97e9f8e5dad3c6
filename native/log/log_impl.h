// The inside of Log, shared by the files that implement it (log*.cc) and by nobody else.
//
// Thread: home. Owns: everything of one partition. After error: as log.h says.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "log/leader_epochs.h"
#include "log/log.h"
#include "log/log_segment.h"
#include "log/producer_state.h"

namespace sluice::log {

using SegmentList = std::vector<std::shared_ptr<Segment>>;

// What a read needs, fixed at one moment, for any thread.
struct ReadPlan {
  std::shared_ptr<const SegmentList> segments;   // the last one is seen through `active`
  SegmentView active;
  Offset from;
  int64_t max_bytes = 0;
  bool at_least_one = false;
  Offset upper;
  Offset upper_segment{-1};     // -1: to be looked up
  int64_t upper_position = 0;
  int64_t index_interval = 4096;
  Reporter* reporter = nullptr;
};
Result<LogSlice> ReadSlice(const ReadPlan& plan, ReadMode mode);
// The view of the i-th segment of a list of which the last is `active`.
SegmentView ViewOf(const SegmentList& segments, size_t i, const SegmentView& active);
// Index of the last segment whose base is not above `offset`, -1 when there is none.
ptrdiff_t FloorSegment(const SegmentList& segments, Offset offset);

// Files of a partition's directory as listed.
struct DirListing {
  std::vector<Offset> logs;        // sorted
  std::vector<Offset> snapshots;   // sorted
  std::vector<Offset> txn_indexes; // sorted
  std::vector<Offset> indexes;     // .index and .timeindex, sorted, maybe twice
  std::vector<std::string> deleted, cleaned, swapped;
  bool epochs = false;
  bool metadata = false;
  bool doubted = false;            // a sync failed here
  bool cut = false;                // by a start, and not known to be synced
};
Result<DirListing> ListPartition(io::FileSystem& fs, const std::string& dir);

struct Log::Impl {
  Impl(Log* owner, const Env& env, std::string dir, TopicPartition name, TopicId id, const LogConfig& config);

  // --- constant
  Log* self;
  const Env env;
  const TopicPartition name;
  const TopicId id;

  // --- home thread
  std::string dir;
  std::shared_ptr<const std::string> shared_dir;   // for segments
  LogConfig config;
  LeaderEpoch epoch{-1};
  Status offline;
  bool closed = false;
  bool cleaning = false;                           // segments are the cleaner's to take out

  Offset log_start{0};
  Offset high_watermark{0};
  Offset written_end{0};
  Offset next_offset{0};
  Offset recovery_point{0};

  std::shared_ptr<const SegmentList> segments;     // replaced, never changed: readers on the pool hold it
  LeaderEpochs epochs;
  bool epochs_dirty = false;
  bool epochs_lost = false;                        // the file was damaged: to be made anew from batches while loading
  std::vector<LeaderEpochs::Entry> epochs_found;   // what the file says, while loading
  ProducerState producers;
  std::vector<Offset> snapshots;                   // all that exist or are pending, sorted
  std::vector<PendingFile> pending_files;          // to be written by the next sync
  bool names_dirty = false;                        // the directory has names that are not durable, or lacks some that still are
  bool unfinished = false;                         // a new log without records: it has not all of its files yet
  uint64_t names_generation = 0;
  int64_t total_size = 0;                          // of all .log files
  int64_t bytes_written = 0;                       // by this process, for what is hot

  // A batch boundary that was written: the records below `end` fill the segment up to `position`.
  struct Mark {
    Offset end;
    Offset segment;
    int64_t position;
  };
  std::vector<Mark> marks;                         // rising; marks[hw_mark] is the high watermark's, older ones serve look-ups
  size_t hw_mark = 0;

  struct Staged {
    MutableBytes bytes;
    BatchHead head;
    TimestampMs now;
    std::optional<TxnMarker> marker;
    std::optional<CompletedTxn> completed;
    int32_t undo = -1;                             // index into undos
  };
  std::vector<Staged> staged;
  std::vector<ProducerState::Undo> undos;
  std::vector<std::shared_ptr<const uint8_t[]>> copies;   // the bytes of the first so many of staged, where another thread is to write them
  int64_t kept_bytes = 0;
  bool writing = false;                            // the first of them are being written by another thread

  IntrusiveList<OffsetWaiter, OffsetWaiterTag> waiters;      // by rising target
  IntrusiveList<AdvanceWatcher, AdvanceWatcherTag> watchers;

  // Files that are no longer part of the log.
  struct Doomed {
    std::string path;
    int64_t due_ms = 0;
    int64_t bytes = 0;
    std::weak_ptr<const void> reader;   // see Sweeper::Add
  };
  std::vector<Doomed> doomed;
  std::vector<std::shared_ptr<Segment>> detached;  // out of the log, their files renamed at the next chance
  int64_t next_expiry_ms = 0;                      // of producer ids
  uint64_t idle_generation = 0;                    // of the active segment when it was last seen to change
  int64_t idle_since_ms = 0;

  struct Replay {
    Durability mode = Durability::kFsync;
    std::vector<Offset> later;         // segments on disk behind the active one, not taken up yet; sorted
    std::vector<Offset> txn_indexes;   // of which segments there is a .txnindex; sorted
    std::string missing;               // the checkpoint's segment, if its file is not there
    Offset missing_end{0};             // the log must start here or later for that to be right
    std::string passed;                // what could not be read lies below the log's start, and was left behind
    bool TakeLater(Offset base) {
      auto at = std::lower_bound(later.begin(), later.end(), base);
      if (at == later.end() || *at != base) return false;
      later.erase(at);
      return true;
    }
  };
  std::unique_ptr<Replay> replay;                  // between Load(kProven) and FinishReplay
  std::vector<uint8_t> replay_buffer;
  bool repaired = false;                           // by FinishReplay, or by a start before that has not synced it
  bool cut_noted = false;                          // there is a note of that, which goes with the next sync

  // --- log.cc
  Segment& active() const { return *segments->back(); }
  std::shared_ptr<Segment> active_ref() const { return segments->back(); }
  void AddSegment(std::shared_ptr<Segment> segment);
  void DropSegments(size_t first, size_t count);
  void CheckEnds() const;
  Offset LastStable() const;
  void FailWaiters(Offset beyond, const Status& why);
  void Report(Severity severity, const std::string& line) const;
  void ResetMarks();
  TimestampMs Now() const { return TimestampMs(env.clock->WallMs()); }

  // --- log_append.cc
  Status RollTo(Offset base, size_t staged_from);
  void TakeUpRoll(std::shared_ptr<Segment> segment, size_t staged_from);
  void TakeBack(size_t from, const Status& why);
  void CutHalfWritten();
  std::string SnapshotAt(size_t staged_from);
  void NamesChanged() {
    names_dirty = true;
    ++names_generation;
  }
  void RevertStaged(size_t from);
  void ApplyStaged(size_t from);
  void NoteWritten(size_t first, size_t last, int64_t position, const std::function<void(const BatchEntry&)>& journaled);
  void DropStaged(size_t count);
  void AddSnapshot(Offset offset, std::string content);
  void NoteBatch(const BatchHead& batch, int64_t position);

  // --- log_write.cc
  class Write;
  Status FinishWrite(Write& write, const std::function<bool()>& make_space, const std::function<void(const BatchEntry&)>& journaled);

  // --- log_read.cc
  ReadPlan Plan(Offset from, int64_t max_bytes, bool at_least_one, Offset upper, bool copy) const;

  // --- log_load.cc
  Status LoadNew(const LoadState& state);
  Status LoadExisting(const LoadState& state);
  Status LoadFirstTimestamp(Segment& segment) const;
  Status FinishLoad();
  Status StartSegment(Offset base);
  Status FinishSwaps(const DirListing& listing);
  Status LoadSegments(const DirListing& listing, Offset scan_from);
  Status AdoptSegment(Segment& segment, bool has_txns, bool sealed);
  Status LoadEpochs(const DirListing& listing);
  void SettleEpochs();
  Status LoadEnd();
  Status RemoveSegmentFiles(Offset base);

  // --- log_scan.cc
  struct ScanEnd {
    int64_t position = 0;   // behind the last batch that holds
    bool whole = false;     // it is the end of the file
    Status why;             // what stopped the scan, if not the end
  };
  Status ScanFrom(Offset scan_from);
  Status ScanActive(int64_t from, bool contiguous, Offset until, ScanEnd* end);
  void TakeUp(const BatchHead& batch, int64_t position, const std::optional<TxnMarker>& marker);
  Status LoadProducers(Offset end, bool clean);
  Status FeedFrom(Offset from, Offset producers_from);
  Status FindLostAborted();
  void CleanSnapshots();
  Status DetachTail(const SegmentList& all, size_t first);

  // --- log_replay.cc
  Status LoadProven(const LoadState& state, const DirListing& listing);
  Status ReplayRoll(Offset base);
  Status MissingSegment() const;
  Result<Offset> FirstNeeded(const std::vector<Offset>& bases, Offset proven_base) const;
  Status ScanOn(Offset until, ScanEnd* end);

  // --- log_retention.cc
  void Detach(size_t count, TimestampMs now);
  Status RenameDetached(TimestampMs now);
  void RemoveDoomed(TimestampMs now, bool here);
  bool MoveLogStart(Offset start);
  void CloseIdleSegments(TimestampMs now, int64_t idle_ms);
  void CloseUnread(bool with_active = true);
  template <class Wanted>
  size_t CountDeletable(Wanted wanted) const;
};

}  // namespace sluice::log
