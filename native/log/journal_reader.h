// Reads a journal after a crash: follows the chain from a checkpoint's mark, from one incarnation to the one that took over from it, and sorts what it
// finds by partition.
// Thread: any, blocking. Reading entries of different partitions at once is safe.
// After error: damage ends the chain and is no error, since what lies behind it was never acknowledged; kCorrupt where an incarnation that took over
// proves that there was more. Whether a later frame of the same incarnation proves it, FindLost tells.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "log/journal.h"
#include "log/journal_format.h"

namespace sluice::log {

class JournalReader {
 public:
  // Where an entry lies.
  struct Ref {
    uint32_t file = 0;
    uint32_t length = 0;     // entry header and payload
    int64_t position = 0;
  };

  static Result<std::unique_ptr<JournalReader>> Scan(io::FileSystem& fs, const std::string& dir, const JournalMark& from);

  // The last frame of the chain, in the last incarnation.
  const JournalMark& end() const { return end_; }
  // The files of the chain: they are needed until a checkpoint covers them. And those that are of no use to anybody any more.
  const std::vector<std::string>& files() const { return files_; }
  const std::vector<std::string>& leftovers() const { return leftovers_; }
  int64_t file_bytes() const { return file_bytes_; }
  int64_t incarnations() const { return incarnations_; }
  // The chain has ended before its time: a frame that was begun only after the first missing one had been durable. Blocking. `everywhere`: in files, too, of which
  // only a disk that lost whole writes could have one.
  struct Lost {
    std::string path;
    int64_t position = 0;
    uint64_t sequence = 0;
  };
  Result<std::optional<Lost>> FindLost(bool everywhere);
  // What was read survives a power cut when this returns, though it came from the page cache. Blocking.
  Status MakeDurable() const;
  int64_t bytes_read() const { return bytes_read_; }
  int64_t frames() const { return frames_; }
  int64_t entries() const { return entries_; }
  // The partition's entries in journal order; nullptr when there are none.
  const std::vector<Ref>* EntriesOf(const TopicIdPartition& id) const;
  std::vector<TopicIdPartition> Partitions() const;
  // Reads one entry into `buffer`; the entry's payload views it.
  Result<Entry> Read(const Ref& ref, std::vector<uint8_t>* buffer) const;

 private:
  struct Source {
    std::string path;
    std::unique_ptr<io::File> file;
    int64_t bytes = 0;
    std::optional<FrameHeader> first;   // that is whole
    int64_t from = 0, walked = 0;       // where that one lies, and how far the chain was followed
    bool copied = false;                // the first is the copy of a damaged one that takes over
    bool needed = false;                // its incarnation is part of the chain
    bool Of(uint64_t incarnation) const { return first && first->incarnation == incarnation; }
  };
  Status AddFile(io::FileSystem& fs, const std::string& path);
  // The first whole frame at or behind `from` of a file.
  Result<std::optional<FrameHeader>> NextFrame(Source& source, int64_t from, int64_t* position);
  Result<bool> FindHeir(std::unordered_set<uint64_t>* chain);
  // The frames of the last incarnation so far, up to `last` at most.
  Status FollowIncarnation(uint64_t last);
  Status WalkFrom(size_t source, uint64_t last, bool* progressed);
  void Index(uint32_t file, int64_t position, Bytes frame, uint32_t count);

  std::vector<Source> sources_;   // by incarnation and first sequence, those without a frame last
  JournalMark end_;
  std::vector<std::string> files_, leftovers_;
  int64_t file_bytes_ = 0;
  int64_t incarnations_ = 1;
  int64_t bytes_read_ = 0;
  int64_t frames_ = 0;
  int64_t entries_ = 0;
  std::vector<uint8_t> buffer_;
  std::unordered_map<TopicIdPartition, std::vector<Ref>> by_partition_;
};

}  // namespace sluice::log
