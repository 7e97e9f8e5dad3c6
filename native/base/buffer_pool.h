// Large buffers that come and go: those that are no longer needed are kept for the next that are. The kernel clears each page of new memory first, which takes
// longer than filling it.
//
// Thread: any. Owns: what it keeps. After error: as Buffer.
#pragma once

#include <cstddef>
#include <mutex>
#include <vector>

#include "base/buffer.h"

namespace sluice {

class BufferPool {
 public:
  static constexpr size_t kLeastBytes = 64 << 10;  // less is not worth the trouble
  static constexpr size_t kMostKept = 32 << 20;    // garbage comes back in heaps

  // So many bytes, not initialized.
  Buffer Take(size_t size);
  void Give(Buffer buffer);
  // Called now and then: what nobody has needed since the last call goes back to the system.
  void Trim();
  size_t kept_bytes() {
    std::lock_guard<std::mutex> lock(mutex_);
    return kept_bytes_;
  }

 private:
  std::mutex mutex_;
  std::vector<Buffer> kept_;  // what was used last is the next to be taken
  size_t kept_bytes_ = 0;
  size_t spare_ = 0;          // the least that were kept since the last Trim
};

}  // namespace sluice
