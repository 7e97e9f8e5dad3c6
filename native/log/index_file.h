// An append-only array of fixed-size entries: the newest in memory, the rest in a file. Under the offset index and the time index.
//
// Entries are appended in memory and reach the file at Flush; after that a short tail of them stays in memory too, for lookups near the end.
// A Snapshot can be searched on any thread while the owner appends: entries that are in the file never change while the segment serves.
//
// Thread: the owner's, but Snapshot readers, OpenFile, WriteOut and Sync: any.
// Owns: its descriptor, opened when needed.
// After error: a failed Flush leaves the entries in memory for the next one.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "log/read_mode.h"

namespace sluice::log {

struct IndexSnapshot {
  int64_t count = 0;          // entries in all
  int64_t tail_first = 0;     // entries [tail_first, count) lie in `tail`, those before in the file
  std::span<const uint8_t> tail;
  std::shared_ptr<const std::vector<uint8_t>> owned;  // what `tail` views, when it is a copy for another thread
};

class IndexFile {
 public:
  explicit IndexFile(uint32_t entry_bytes) : entry_bytes_(entry_bytes) {}

  uint32_t entry_bytes() const { return entry_bytes_; }
  int64_t count() const;
  int64_t unflushed() const;
  void Append(const uint8_t* entry);
  // Takes `entries` from the file as the whole content; what lies behind them in the file is cut off by the next Flush.
  void AdoptFile(int64_t entries);
  // Writes what is not in the file, creates it if missing, gives it its exact length. kWouldBlock while another thread is at just that.
  Status Flush(io::FileSystem& fs, const std::string& path);
  // The same on another thread, while the owner goes on: the tail in memory stays as it is, for whoever reads it, until Trim.
  Status WriteOut(io::FileSystem& fs, const std::string& path);
  // WriteOut for who syncs the whole file system: leaves no descriptor open.
  Status WriteAway(io::FileSystem& fs, const std::string& path);
  Status Sync(io::FileSystem& fs, const std::string& path);
  // Closes the descriptor unless something flushed is not synced yet, which whoever syncs it alone has to be told of.
  void CloseIdle();
  void MarkSynced();
  // Lets go of what WriteOut has brought to the file, but for a short tail.
  void Trim();
  // Everything is flushed and nothing will be added: lookups go to the file from now on.
  void DropTail();
  // The file was written anew by somebody else, whole, synced, with this many entries.
  void ReplaceFile(int64_t entries);

  // With `copy` the tail is copied, for a reader on another thread; without, it is valid until the next change.
  IndexSnapshot Snapshot(bool copy) const;
  Result<std::shared_ptr<io::File>> OpenFile(io::FileSystem& fs, const std::string& path, ReadMode mode);

 private:
  Status WriteLocked(io::FileSystem& fs, const std::string& path);

  const uint32_t entry_bytes_;
  std::mutex writing_;                  // held by the one who writes to the file
  mutable std::mutex mutex_;            // guards all below
  int64_t file_entries_ = 0;            // entries [0, file_entries_) are in the file
  int64_t tail_first_ = 0;              // tail_ holds [tail_first_, count)
  bool length_exact_ = false;           // the file is there and ends with its last entry
  bool unsynced_ = false;
  std::vector<uint8_t> tail_;
  std::shared_ptr<io::File> file_;
};

// Reads single entries of a snapshot, a block of the file at a time.
class IndexReader {
 public:
  // `file` may be null when every entry is in the tail.
  IndexReader(const IndexSnapshot& snapshot, uint32_t entry_bytes, io::File* file, ReadMode mode)
      : snapshot_(snapshot), entry_bytes_(entry_bytes), file_(file), mode_(mode) {}
  int64_t count() const { return snapshot_.count; }
  int64_t tail_first() const { return snapshot_.tail_first; }
  // Valid until the next call. kWouldBlock in kNoWait; kCorrupt when the file is shorter than it was.
  Result<const uint8_t*> At(int64_t slot);

  // The last slot whose key is not above `target`, -1 when there is none. KeyOf: (const uint8_t*) -> int64_t, rising.
  template <class KeyOf>
  Result<int64_t> LastNotAbove(int64_t target, KeyOf key_of) {
    int64_t low = -1, high = snapshot_.count - 1;
    if (snapshot_.tail_first <= high && snapshot_.tail_first > 0) {
      // Most look-ups are near the end: if the tail begins at or below the target, the file need not be read.
      if (key_of(snapshot_.tail.data()) <= target) low = snapshot_.tail_first; else high = snapshot_.tail_first - 1;
    }
    while (low < high) {
      const int64_t middle = low + (high - low + 1) / 2;
      // Far steps want one entry each; once the range fits a block, one read brings all that are left.
      Result<const uint8_t*> entry = high - low > kBlockBytes / entry_bytes_ ? One(middle) : At(middle);
      if (!entry.ok()) return entry.status();
      if (key_of(*entry) <= target) low = middle; else high = middle - 1;
    }
    return low;
  }

 private:
  static constexpr int64_t kBlockBytes = 4080;  // a whole number of 8- and 12-byte entries
  Result<const uint8_t*> One(int64_t slot);
  Result<const uint8_t*> Fill(int64_t first, int64_t wanted, int64_t slot);

  const IndexSnapshot& snapshot_;
  const uint32_t entry_bytes_;
  io::File* const file_;
  const ReadMode mode_;
  int64_t block_first_ = 0;
  int64_t block_count_ = 0;
  uint8_t block_[kBlockBytes];
};

}  // namespace sluice::log
