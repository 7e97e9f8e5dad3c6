// What the bare server does with the bytes it receives, nothing more: sum them, write them, write them to a synced journal. The files
// are recycled at a fixed size, so that a run neither fills the disk nor measures the first touch of memory.
//
// Thread: one. Owns: its files and buffers. After error: the process ends with one line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace sluice::bench {

enum class Work { kReceive, kCrc, kWrite, kJournal };

class Storage {
 public:
  Storage(Work work, const std::string& directory);
  ~Storage();

  // One request's bytes. May be called several times before Commit.
  void Append(Bytes bytes);
  // What was appended since the last commit is synced with one journal write, where that is the work.
  void Commit();

 private:
  const Work work_;
  int segment_ = -1;
  uint64_t segment_at_ = 0;
  int journal_ = -1;
  uint64_t journal_at_ = 0;
  uint8_t* block_ = nullptr;  // aligned for O_DIRECT
  size_t block_used_ = 0;
  uint32_t crc_ = 0;
};

// A file of record batches with real base offsets, as a topic's segment would be, and where each batch begins.
class FetchFile {
 public:
  FetchFile(const std::string& directory, uint64_t bytes, int batch_records, int record_size);
  ~FetchFile();

  int fd() const { return fd_; }
  int64_t EndOffset() const { return static_cast<int64_t>(batches_) * batch_records_; }
  uint64_t PositionOf(int64_t offset) const { return static_cast<uint64_t>(offset / batch_records_) * batch_size_; }
  uint64_t size() const { return batches_ * batch_size_; }
  uint64_t batch_size() const { return batch_size_; }

 private:
  int fd_ = -1;
  int batch_records_;
  uint64_t batch_size_ = 0;
  uint64_t batches_ = 0;
};

}  // namespace sluice::bench
