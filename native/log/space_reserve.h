// Disk space held back in a file that nobody writes, so that a disk which others fill cannot keep acknowledged records from being recovered. What is not
// needed for that may go, piece by piece, to what must work on a full disk: internal topics, checkpoints, deletions.
//
// Thread: any. Ensure and Release block; Take waits for what they do to the file, not for their syncs.
// Owns: its file.
// After error: as large as it was, or smaller; bytes() tells.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "io/file.h"

namespace sluice::log {

class SpaceReserve {
 public:
  SpaceReserve(io::FileSystem& fs, std::string dir, const std::string& name) : fs_(fs), dir_(std::move(dir)), path_(dir_ + "/" + name) {}

  // Makes it at least `bytes` large, durably. With `beside`, so much more must be free. kNoSpace where there is not enough of it. The folder is there.
  Status Ensure(int64_t bytes, int64_t beside);
  // Gives everything back.
  Status Release();

  // Never goes below this by Take.
  void KeepAtLeast(int64_t bytes) { least_.store(bytes, std::memory_order_relaxed); }
  // Gives a piece back, for what the full disk refused; false where there is none to spare.
  bool Take();

  int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  // The file system cannot take space without writing it: there is no reserve.
  bool impossible() const { return impossible_.load(std::memory_order_relaxed); }

 private:
  Status EnsureLocked(io::File& file, int64_t bytes, int64_t beside);

  io::FileSystem& fs_;
  const std::string dir_;
  const std::string path_;
  std::mutex mutex_;   // held by whoever changes the file
  std::atomic<int64_t> bytes_ = 0;
  std::atomic<int64_t> least_ = 0;
  std::atomic<bool> impossible_ = false;
};

}  // namespace sluice::log
