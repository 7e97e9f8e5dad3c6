// One segment of a log: its data file and its three indexes.
//
// The last segment of a log is active: it grows, its newest index entries are in memory. Seal makes it immutable; from then on everything of it is
// on disk and may be read on any thread.
//
// Thread: home, but for what is marked "any".
// Owns: its descriptors, opened when needed.
// After error: a failed Write leaves the file to be cut back by the caller; failed flushes are tried again by the next.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "log/batch_head.h"
#include "log/config.h"
#include "log/index_file.h"
#include "log/segment.h"
#include "log/time_index.h"
#include "log/txn_index.h"

namespace sluice::log {

class Segment;

// What a lookup needs of a segment, fixed at one moment.
struct SegmentView {
  std::shared_ptr<Segment> segment;
  int64_t size = 0;
  IndexSnapshot offsets;
  IndexSnapshot times;
  std::optional<TimestampAt> max;   // of the active segment; a sealed one is asked
};

// What a segment will have become once batches that are collected for one write are in it.
struct SegmentGrowth {
  SegmentGrowth() = default;
  explicit SegmentGrowth(const Segment& segment);
  void Add(const BatchHead& batch, int64_t index_interval);
  int64_t bytes = 0;
  int64_t entries = 0;
  std::optional<TimestampMs> first_timestamp;   // when the segment was empty

 private:
  int64_t position_ = 0;
  int64_t last_indexed_ = 0;
};

// Bytes of a data file that do not hold what was written.
struct DamagedRange {
  int64_t from = 0;
  int64_t to = 0;
};

class Segment final : public SegmentFiles {
 public:
  // `unfinished`: its files have this behind their names until TakeName.
  Segment(io::FileSystem& fs, std::shared_ptr<const std::string> dir, Offset base, int64_t created_ms, std::string unfinished = {});

  // --- any thread
  Offset base() const override { return base_; }
  io::File& log_file() override;
  const std::string& log_path() const override { return log_path_; }
  Status WriteIndexes() override;
  Status SyncFiles() override;
  Status SyncData() override;
  Status WriteOut() override;
  Status WriteIndexesAway() override;
  Status SyncOutcome() override;
  // The bytes alone, anywhere behind size().
  Status WriteBytes(std::span<iovec> parts, int64_t position);
  // Opens the data file, which is there. kWouldBlock in kNoWait when that would need the kernel; kNotFound when it was deleted.
  Status EnsureOpen(ReadMode mode);
  std::string PathOf(const char* suffix) const;
  io::FileSystem& fs() const { return fs_; }
  IndexFile& offset_index() { return offset_index_; }
  IndexFile& time_index() { return time_index_; }
  // The largest timestamp. Of a segment that was loaded it is read from the time index, else from the batches.
  Result<TimestampAt> MaxTimestamp(ReadMode mode);
  // Nothing of it changes any more; what changed before is seen by whoever sees this.
  bool sealed() const { return sealed_.load(std::memory_order_acquire); }
  // Replaces index files that were found wrong by what the batches say. Sealed segments only.
  Status RebuildSealedIndexes(int64_t index_interval);
  // Opens its files and keeps them open, because their names are about to be another segment's. Sealed segments only.
  Status Retire();
  // They stay its own after all.
  void Reinstate();
  // Its files have no names of their own any more: indexes are not made anew under them.
  void LoseNames();
  bool retired() const;
  // From now on readers are told of it. False where it is known already.
  bool AddDamage(const DamagedRange& range);
  // The first damage that lies in [from, to) or reaches into it.
  std::optional<DamagedRange> DamageIn(int64_t from, int64_t to) const;
  // The files have been renamed to their proper names. Before anybody else sees the segment.
  void TakeName();

  // --- home thread
  int64_t size() const { return size_; }
  TimestampMs first_timestamp() const { return first_timestamp_; }
  bool ShouldRoll(const LogConfig& config, const BatchHead& batch, TimestampMs now, const SegmentGrowth& growth) const;

  // Makes an empty data file and removes what an earlier life left under these names.
  Status Create();
  Status Write(std::span<iovec> parts, int64_t length);   // at size(); size() grows only on success
  Status CutBackTo(int64_t size);                         // after a failed Write
  // Takes up a batch that lies at `position` (written, replayed or scanned): size, timestamps, index entries.
  void Note(const BatchHead& batch, int64_t position, int64_t index_interval);
  void AddAborted(const AbortedTxn& txn);
  const std::vector<AbortedTxn>& aborted() const { return txns_; }
  // The transaction index was damaged while loading: somebody has to go through the batches and add what they say.
  bool aborted_lost() const { return aborted_lost_; }
  void ForgetAborted();

  // WriteBytes has brought so many bytes to size().
  void Wrote(int64_t length) {
    hot_from = std::min(hot_from, size_);
    size_ += length;
    ++generation_;
  }
  Status FlushIndexes();
  Status FlushTxns();
  // Final time index entry, everything to the files. After this nothing of the segment changes.
  Status Seal();
  // Adds the largest timestamp so far to the time index, as Kafka does when it rolls or closes.
  void AddFinalTimeEntry();

  // --- loading
  struct LoadHints {
    bool has_txn_index = false;
    bool sealed = false;
  };
  // Takes the files as they are: `size` bytes of data, indexes of the lengths that the files have. Entries are believed only as far as they can be
  // checked cheaply; false: they cannot be right, and the caller rebuilds them.
  Result<bool> Adopt(int64_t size, const LoadHints& hints);
  // The same, but only the first `offsets` and `times` entries count, and the data ends at `size`.
  Result<bool> AdoptProven(int64_t size, int64_t offsets, int64_t times, int64_t txns, TimestampAt max_timestamp);
  // Forgets everything but the base: the files are about to be scanned from the start.
  void Forget(bool has_txn_index);
  // Indexes anew from the headers of [0, size): for an index that Adopt refused.
  Status RebuildIndexes(int64_t index_interval);
  Status LoadFirstTimestamp();
  // Truncates the data file to size(): what lies behind is not part of the log.
  Status CutTail();
  void SetSealed() { sealed_.store(true, std::memory_order_release); }

  // --- syncing
  bool dirty() const { return generation_ != synced_generation_; }
  uint64_t generation() const { return generation_; }
  void SyncedAt(uint64_t generation);
  // Of the data alone, whatever the indexes lack.
  bool is_data_synced() const { return data_synced_ == size_; }
  void DataSyncedTo(int64_t size) { data_synced_ = std::min(size, size_); }
  // Files of it are made by the coming sync, or were made since the last answer: their names have to be synced too.
  bool TakeNewNames() { return std::exchange(new_names_, false); }
  // Makes the next flush look at the index files, which a segment without entries may not have yet.
  void Touch() { ++generation_; }
  void CloseIdle();   // closes descriptors that nobody uses and that are synced
  bool data_open() const;

  SegmentView View(std::shared_ptr<Segment> self, bool copy) const;
  int64_t last_indexed() const { return last_indexed_; }
  TimestampAt max_timestamp_so_far() const { return max_; }

  // --- of the log's bookkeeping
  int64_t hot_from = INT64_MAX;   // bytes from here on were written by this process
  int64_t bytes_before = 0;       // what this process had written to the log before position 0 of this segment (negative for what it found)

 private:
  template <class Work>
  Status SyncInTurn(Work work);
  std::shared_ptr<io::File> UnsyncedTxns() const;

  Status LoadAborted(int64_t most);
  Result<bool> AdoptEntries(int64_t offsets, int64_t times, bool sealed);
  void NoteTimestamp(const BatchHead& batch, int64_t position);

  io::FileSystem& fs_;
  const std::shared_ptr<const std::string> dir_;
  const Offset base_;
  std::string log_path_;              // constant once others see the segment, as is unfinished_
  std::string unfinished_;
  const int64_t created_ms_;

  // home thread; immutable once sealed
  int64_t size_ = 0;
  int64_t last_indexed_ = 0;          // position of the batch that the last offset index entry names
  TimestampMs first_timestamp_{-1};   // largest of the first batch
  bool first_timestamp_known_ = false;
  TimestampAt last_time_entry_;
  std::vector<AbortedTxn> txns_;
  int64_t txns_in_file_ = 0;
  bool aborted_lost_ = false;
  bool txn_file_exact_ = true;
  std::atomic<bool> sealed_ = false;
  uint64_t generation_ = 0;
  uint64_t synced_generation_ = 0;
  bool new_names_ = false;
  int64_t data_synced_ = 0;           // bytes that a sync of the data has brought to the disk
  TimestampAt max_;

  IndexFile offset_index_{8};
  IndexFile time_index_{12};
  std::mutex sync_mutex_;             // held by the sync under way; guards sync_failed_
  Status sync_failed_;                // for good: what it was to write is not on the disk, and no later sync writes it
  std::mutex rebuild_mutex_;          // held while index files are replaced by name
  mutable std::mutex mutex_;          // guards file_, unsynced_txns_, retired_ and max_known_, and max_ of a sealed segment
  std::unique_ptr<io::File> file_;
  std::shared_ptr<io::File> unsynced_txns_;   // open as long as a sync is due: its name may go before that
  std::atomic<bool> is_damaged_ = false;
  std::vector<DamagedRange> damages_;   // guarded by mutex_; by position
  bool retired_ = false;
  bool max_known_ = true;
};

}  // namespace sluice::log
